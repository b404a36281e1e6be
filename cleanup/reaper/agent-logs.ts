import fs from 'node:fs'
import { claim } from '../claims/claim.ts'
import { observe } from '../claims/observe.ts'
import { attemptAsync } from '../errors.ts'
import { Held } from '../platform/held.ts'
import { type AgentRef, archived, streamLog } from '../registry/layout.ts'
import { isDone } from '../registry/lifecycle.ts'
import { inodeText, recordedInode } from '../registry/log-inode.ts'
import { byAge, filesOfLog, isCompressed, type LogFile } from '../registry/log-parts.ts'
import { readTaskRegistry, requireAgent } from '../registry/registry.ts'
import { HeldLogs } from './held-logs.ts'

/** A file with lines of an agent's log. */
export interface AgentLog extends LogFile {
  isCompressed: boolean
  /** Open by this descriptor, because it has no name in the agent's folders. */
  fd?: number
}

/**
 * Calls `use` with every file that holds lines of an agent's log, the last written one first: with what is in the archive
 * after a cleanup. These are the log and the parts of it, in the logs' folder and in the archive, and the file that the
 * agent writes as its log although it was deleted or moved away. `problem`: why that one could not be searched for.
 */
export async function withAgentLogs<T>(
  ref: AgentRef,
  use: (logs: AgentLog[], problem: string | undefined) => T,
): Promise<T> {
  const log = streamLog(ref)
  const named = [log, archived(ref, log)].flatMap(one => filesOfLog(ref.workspace, one))
  // While a cleanup moves a file, it has two names.
  const files = [...new Map(named.map(one => [one.inode, one])).values()]
  using held = new Held()
  let problem: string | undefined
  const nameless = await attemptAsync(
    () => findNameless(ref, new Set(files.map(({ inode }) => inode)), held),
    why => {
      problem = why
    },
  )
  const logs = [...(nameless ?? []), ...files.map(one => ({ ...one, isCompressed: isCompressed(one.file) }))]
  return use(logs.toSorted(byAge), problem)
}

/** A scan of the machine, so it is made only when the file of the deploy has no name and the agent is not cleaned up. */
async function findNameless(ref: AgentRef, named: ReadonlySet<string>, held: Held): Promise<AgentLog[]> {
  const registry = readTaskRegistry(ref.workspace, ref.taskId)
  const entry = requireAgent(registry, ref)
  if (isDone(entry) || named.has(recordedInode(entry) ?? '')) return []
  const observation = await observe(ref, registry)
  const logs = held.use(new HeldLogs(observation, claim(observation), true))
  return logs.namelessDescriptors().map(fd => {
    const stat = fs.fstatSync(fd, { bigint: true })
    return {
      fd,
      file: 'a log without a name',
      inode: inodeText(stat),
      modified: stat.mtimeNs,
      isCompressed: false,
    }
  })
}
