import fs from 'node:fs'
import { sharesPids } from '../platform/processes/namespaces.ts'
import { type Descriptor, isOpenForWriting, type OpenFiles } from '../platform/processes/open-files.ts'

/** The descriptors that write a log, also after it was deleted. */
export function logWriters(openFiles: OpenFiles, log: string): Descriptor[] {
  const holders = (openFiles.get(log) ?? []).filter(holder => isFile(holder, log))
  const ofDeleted = (openFiles.get(`${log} (deleted)`) ?? []).filter(({ pid }) => sharesPids(pid))
  return [...holders, ...ofDeleted].filter(isOpenForWriting)
}

/** True for the path of an agent's stream log, in any workspace. */
export const isStreamLog = (path: string): boolean => path.endsWith('_stream.jsonl')

/** In another mount namespace the same path means another file, so device and inode are compared. */
function isFile({ pid, fd }: Descriptor, file: string): boolean {
  try {
    const [held, meant] = [fs.statSync(`/proc/${pid}/fd/${fd}`), fs.statSync(file)]
    return held.dev === meant.dev && held.ino === meant.ino
  } catch {
    return false
  }
}

/** True when a process writes another agent's stream log too: then it is a collector, and belongs to no single agent. */
export function writesOtherLogs(openFiles: OpenFiles, log: string, pid: number): boolean {
  for (const [path, holders] of openFiles) {
    if (path === log || !isStreamLog(path)) continue
    if (holders.some(holder => holder.pid === pid && isOpenForWriting(holder))) return true
  }
  return false
}
