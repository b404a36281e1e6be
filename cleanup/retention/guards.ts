import type { Owners } from './owners.ts'
import type { Rule, SeenFile } from './plan-types.ts'
import type { Writers } from './writers.ts'

/** Why a file must not be touched. */
export interface Objection {
  rule: Rule
  why: string
}

/** What a file is judged by, besides itself. */
export interface Scene {
  /** Undefined when the task's registry could not be read. */
  owners: Owners | undefined
  writers: Writers
}

/**
 * Says why a file must not be touched, whatever the policy is; undefined when policy decides. Asked for the plan,
 * and once more right before each removal.
 */
export function objection(file: SeenFile, { owners, writers }: Scene): Objection | undefined {
  const { part, agentId } = file
  if (file.class === 'unknown' || agentId === undefined)
    return { rule: 'unknown', why: `${file.kind} of no known class` }
  if (file.kind !== 'a file') return { rule: 'not-a-file', why: `expected a file, found ${file.kind}` }
  if (!isInPlace(file)) return { rule: 'not-archived', why: `lies in ${part}/, not in archive/` }
  if (!owners) return { rule: 'registry-unreadable', why: 'the registry of its task cannot be read' }
  const { state } = owners.of(agentId)
  if (state === 'live') return { rule: 'live', why: `agent ${agentId} lives` }
  if (state === 'pending') return { rule: 'pending', why: `the cleanup of agent ${agentId} is not done` }
  if (state === 'unlisted' && part !== 'archive')
    return { rule: 'unlisted', why: `the registry lists no agent ${agentId} whose cleanup is done` }
  if (writers.has(file.inode)) return { rule: 'open', why: 'a process has it open for writing' }
  return undefined
}

/** The archive takes all classes. Elsewhere only what no program writes once the agent's cleanup is done, where it belongs. */
function isInPlace(file: SeenFile): boolean {
  if (file.part === 'archive') return true
  if (file.packed || file.draft) return false
  return file.part === (file.class === 'deploy' ? 'logs' : file.class)
}
