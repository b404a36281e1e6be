/** The kinds of files in a workspace, by their names in the report's system. `folder` counts the folders themselves. */
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
 * The class of a file by its path inside the workspace. Everything in a task's archive/ is an archive, because a stream
 * log there must not count as one that is still written.
 */
export function fileClassOf(inside: readonly string[]): FileClass {
  if (inside.slice(0, -1).includes('archive')) return 'archive'
  const name = inside.at(-1) ?? ''
  const known = NAMES.find(([pattern]) => pattern.test(name))?.[1]
  return known ?? (inside[0] === 'registry' ? 'registry' : 'other')
}
