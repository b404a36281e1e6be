import { ADDED, COMPRESSED } from '../registry/log-parts.ts'

/** The kinds of files that an agent leaves in a task's folders, named as in the report's system. */
export const LOG_CLASSES = ['stream', 'progress', 'findings', 'deploy'] as const
export type LogClass = (typeof LOG_CLASSES)[number]

/** What the name of a log tells. */
interface LogName {
  class: LogClass
  agentId: string
  /** True for what a rotation or an earlier version of leakrig has compressed, and for a draft of that. */
  compressed: boolean
  /** True for the unfinished draft of such an archive (`.zst.part`, `.gz.part`). */
  draft: boolean
}

const ID = '[A-Za-z0-9_][A-Za-z0-9_-]{0,127}'
const PACKED = `(?<compressed>${COMPRESSED})?(?<draft>(?<=\\.zst|\\.gz)\\.part)?`
/** The archive puts a number before the extension when the plain name is taken (platform/files/move-file.ts). */
const LOG = new RegExp(
  `^(?<agentId>${ID})_(?<kind>stream|progress|findings)${ADDED}?\\.jsonl${ADDED}?${PACKED}$`,
)
const DEPLOY = new RegExp(`^deploy_(?<agentId>${ID})(?:\\.[1-9]\\d*)?\\.(?:json|stderr)${ADDED}?${PACKED}$`)

/** Undefined for a name that no orchestrator of this kind gives to a log. */
export function classify(name: string): LogName | undefined {
  const found = (LOG.exec(name) ?? DEPLOY.exec(name))?.groups
  if (!found?.agentId) return undefined
  return {
    class: (found.kind ?? 'deploy') as LogClass,
    agentId: found.agentId,
    compressed: found.compressed !== undefined,
    draft: found.draft !== undefined,
  }
}
