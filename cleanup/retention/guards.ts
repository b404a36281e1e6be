import type { LogFile } from './log-file.ts'
import type { Owners } from './owners.ts'
import type { Rule } from './plan-types.ts'
import type { Writers } from './writers.ts'

/** Why a file must not be touched. */
interface Guard {
  rule: Rule
  why: string
}

interface GuardContext {
  /** Undefined when the task's registry could not be read. */
  owners: Owners | undefined
  writers: Writers
}

/**
 * The guard that protects a file whatever the policy is; undefined when the policy decides. Asked for the plan, and
 * again right before each removal.
 */
export function findGuard(file: LogFile, { owners, writers }: GuardContext): Guard | undefined {
  const { part, agentId } = file
  if (file.class === 'unknown' || agentId === undefined)
    return { rule: 'unknown', why: `${file.kind} of no known class` }
  if (file.kind !== 'a file') return { rule: 'not-a-file', why: `expected a file, found ${file.kind}` }
  // The log of a live agent is where it belongs, so that says more than its place.
  if (owners?.of(agentId).state === 'live') return { rule: 'live', why: `agent ${agentId} is live` }
  if (!isInPlace(file)) return { rule: 'not-archived', why: `it is in ${part}/, not in archive/` }
  if (!owners) return { rule: 'registry-unreadable', why: 'the registry of its task cannot be read' }
  const { state, isElsewhere } = owners.of(agentId)
  if (state === 'pending') return { rule: 'pending', why: `the cleanup of agent ${agentId} is not done` }
  if (state === 'unlisted' && part !== 'archive')
    return { rule: 'unlisted', why: `the registry lists no agent ${agentId} whose cleanup is done` }
  if (isElsewhere)
    return {
      rule: 'elsewhere',
      why: `agent ${agentId} was deployed where its processes are not seen from here`,
    }
  if (writers.has(file.inode)) return { rule: 'open', why: 'a process has it open for writing' }
  return undefined
}

/** The archive takes all classes. In its own folder a log may be removed too, because no program writes it after the cleanup. */
function isInPlace(file: LogFile): boolean {
  if (file.part === 'archive') return true
  if (file.compressed) return false
  return file.part === (file.class === 'deploy' ? 'logs' : file.class)
}
