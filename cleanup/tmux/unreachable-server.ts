import fs from 'node:fs'
import path from 'node:path'
import type { Identity } from '../platform/processes/identity.ts'
import { isStopped } from '../platform/processes/stat.ts'
import { readAlive } from '../platform/processes/table.ts'
import { quoteForPeople } from '../platform/shell.ts'
import { isListening, socketsListenedToBy } from './listener.ts'

/**
 * Why a running tmux server cannot be asked, and what helps, in words that go on after "and" or a colon. A server that gets
 * USR1 removes what lies at its socket's path and makes the socket again; it does not make the folder. `known`: its socket,
 * where its process does not tell.
 */
export async function whyUnreachable(server: Identity, known?: string): Promise<string> {
  const { pid } = server
  if (isStoppedNow(server)) return whyStopped(pid)
  const [socket = known] = socketsListenedToBy(pid)
  if (socket === undefined) return 'it listens on no socket'
  const folder = path.dirname(socket)
  if (!fs.existsSync(folder))
    return `its socket ${socket} is gone with its folder; "mkdir -m 700 ${quoteForPeople(folder)} && kill -USR1 ${pid}" makes both again`
  if (await isListening(socket))
    return `its socket ${socket} is another server’s by now; once that server has ended, "kill -USR1 ${pid}" makes the socket again`
  return `its socket ${socket} is gone; "kill -USR1 ${pid}" makes it again`
}

const isStoppedNow = (server: Identity): boolean => {
  const now = readAlive(server)
  return now !== undefined && isStopped(now)
}

/** Says of a stopped server what helps. */
export const whyStopped = (pid: number): string => `it is stopped; "kill -CONT ${pid}" continues it`
