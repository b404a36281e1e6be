/** What a file of a workspace is, by the names that the report's system gives. `folder` stands for the folders themselves. */
export const FILE_CLASSES = [
  'prompt',
  'stream',
  'progress',
  'findings',
  'deploy',
  'archive',
  'registry',
  'other',
  'folder',
] as const
export type FileClass = (typeof FILE_CLASSES)[number]

const NAMES: [RegExp, FileClass][] = [
  [/^(?:AGENT|GLOBAL)_REGISTRY\.json(?:\.lock|\.next)?$/, 'registry'],
  [/^agent_prompt_.*\.txt$/, 'prompt'],
  [/_stream\.jsonl$/, 'stream'],
  [/_progress\.jsonl$/, 'progress'],
  [/_findings\.jsonl$/, 'findings'],
  [/^deploy_.*\.json$/, 'deploy'],
]

/**
 * The class of a file by its path inside the workspace. What lies in a task's archive/ is an archive, whatever its
 * name: a stream log there belongs to nobody who lives, and must not look like one that is still written.
 */
export function fileClassOf(inside: readonly string[]): FileClass {
  if (inside.slice(0, -1).includes('archive')) return 'archive'
  const name = inside.at(-1) ?? ''
  const known = NAMES.find(([pattern]) => pattern.test(name))?.[1]
  return known ?? (inside[0] === 'registry' ? 'registry' : 'other')
}
