/** What an agent leaves behind in a task's folders, by the names that the report's system gives. */
export const LOG_CLASSES = ['stream', 'progress', 'findings', 'deploy'] as const
export type LogClass = (typeof LOG_CLASSES)[number]

/** What a file's name says. */
export interface KnownName {
  class: LogClass
  agentId: string
  /** True for a compressed one. */
  packed: boolean
  /** True for the draft of a compression that has not come to its end. */
  draft: boolean
}

/** The ending that each compression gives to a name. */
export const PACKED_ENDING = { zstd: '.zst', gzip: '.gz' } as const
/** The ending of a compression's draft, on top of the other. */
export const DRAFT_ENDING = '.part'

const ID = '[A-Za-z0-9_][A-Za-z0-9_-]{0,127}'
const ENDING = '(?<packed>\\.zst|\\.gz)?(?<draft>(?<=\\.zst|\\.gz)\\.part)?'
/** A number stands before the extension where the archive's name was taken (cleaning/move-file.ts). */
const LOG = new RegExp(
  `^(?<agentId>${ID})_(?<kind>stream|progress|findings)(?:\\.[1-9]\\d*)?\\.jsonl${ENDING}$`,
)
const DEPLOY = new RegExp(`^deploy_(?<agentId>${ID})(?:\\.[1-9]\\d*)?\\.json${ENDING}$`)

/** The class of a file by its name, undefined for a name that is nobody's whom we know. */
export function classify(name: string): KnownName | undefined {
  const found = (LOG.exec(name) ?? DEPLOY.exec(name))?.groups
  if (!found?.agentId) return undefined
  return {
    class: (found.kind ?? 'deploy') as LogClass,
    agentId: found.agentId,
    packed: found.packed !== undefined,
    draft: found.draft !== undefined,
  }
}
