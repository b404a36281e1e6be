import fs from 'node:fs'
import { sharesPids } from '../platform/processes/namespaces.ts'
import { type Descriptor, isOpenForWriting, type OpenFiles } from '../platform/processes/open-files.ts'

/** The descriptors that a log is open for writing on, also after somebody has deleted it. */
export function logWriters(openFiles: OpenFiles, log: string): Descriptor[] {
  const holders = (openFiles.get(log) ?? []).filter(holder => isFile(holder, log))
  const ofDeleted = (openFiles.get(`${log} (deleted)`) ?? []).filter(({ pid }) => sharesPids(pid))
  return [...holders, ...ofDeleted].filter(isOpenForWriting)
}

/** Whether a path is that of an agent's stream log, of whatever workspace. */
export const isStreamLog = (path: string): boolean => path.endsWith('_stream.jsonl')

/** A path in another mount namespace reads the same and means another file; the file itself tells. */
function isFile({ pid, fd }: Descriptor, file: string): boolean {
  try {
    const [held, meant] = [fs.statSync(`/proc/${pid}/fd/${fd}`), fs.statSync(file)]
    return held.dev === meant.dev && held.ino === meant.ino
  } catch {
    return false
  }
}

/** True when a process writes another agent's stream log too: then it is a collector, and no one agent's. */
export function writesOtherLogs(openFiles: OpenFiles, log: string, pid: number): boolean {
  for (const [path, holders] of openFiles) {
    if (path === log || !isStreamLog(path)) continue
    if (holders.some(holder => holder.pid === pid && isOpenForWriting(holder))) return true
  }
  return false
}
