import path from 'node:path'
import { messageOf } from '../errors.ts'
import { limitMet } from '../platform/limits.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { sharesFiles, sharesPids } from '../platform/processes/namespaces.ts'
import { isOurs } from '../platform/processes/owner.ts'
import { isStopped } from '../platform/processes/stat.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { Slots } from '../platform/slots.ts'
import { isTmuxServer } from './is-server.ts'
import { socketsListenedToBy } from './listener.ts'
import { isServerOf } from './own-socket.ts'
import { readServer, type TmuxServer } from './server.ts'
import { SEARCHED_FOLDER } from './sockets.ts'
import { whyStopped, whyUnreachable } from './unreachable-server.ts'

/** A tmux server that was found by its process. */
export interface FoundServer {
  process: SeenProcess
  /** What it answered; undefined when it could not be asked. */
  answer: TmuxServer | undefined
  /** Why it could not be asked, and what helps, in words; empty when it answered. */
  why: string
}

/** How many servers are asked at once: a user may have hundreds. */
const ASKED_AT_ONCE = 16
/** How long a server that gave no answer is not asked again, in ms: each try takes seconds. */
const SILENT_MS = 60_000

/**
 * The tmux servers (is-server.ts) of our user that the processes show, and what they answer; only those of the pids `wanted`,
 * where given. A server is asked only if it listens on a socket that is ours (own-socket.ts), and sees the same pids and files
 * as we do, so that neither a server in a sandbox nor one at a path that another server has taken is mistaken for it. Finds
 * none without /proc. Each server is asked once for a table, because thousands of agents may be looked for. Throws a
 * CleanupError (`tmux-unreachable`) where a limit keeps tmux clients from starting.
 */
export function serversFoundIn(table: ProcessTable, wanted?: ReadonlySet<number>): Promise<FoundServer[]> {
  let servers = known.get(table)
  if (!servers) {
    servers = [...table.values()].filter(one => isServerOfOurs(one, table))
    known.set(table, servers)
  }
  return Promise.all(servers.filter(({ pid }) => wanted?.has(pid) ?? true).map(askOnce))
}

const known = new WeakMap<ProcessTable, SeenProcess[]>()
const answers = new WeakMap<SeenProcess, Promise<FoundServer>>()
const slots = new Slots(ASKED_AT_ONCE)

function askOnce(server: SeenProcess): Promise<FoundServer> {
  let asking = answers.get(server)
  if (!asking) {
    asking = slots.run(() => ask(server))
    answers.set(server, asking)
  }
  return asking
}

const isServerOfOurs = (process: SeenProcess, table: ProcessTable): boolean =>
  isTmuxServer(process, table) &&
  isOurs(process.pid) &&
  sharesPids(process.pid) &&
  sharesFiles(process.pid) &&
  socketsListenedToBy(process.pid).some(isSearched)

/** False for a socket outside the folder LEAKRIG_SOCKET_FOLDER, where that is set: its server is another job's on this machine. */
function isSearched(socket: string): boolean {
  const folder = process.env[SEARCHED_FOLDER]
  return !folder || !path.relative(folder, socket).startsWith('..')
}

/** The servers that gave no answer. */
const silent = new Map<number, Identity & { why: string; until: number }>()

async function ask(process: SeenProcess): Promise<FoundServer> {
  const { pid, start } = process
  if (isStopped(process)) return { process, answer: undefined, why: whyStopped(pid) }
  const before = silent.get(pid)
  if (before?.start === start && performance.now() < before.until)
    return { process, answer: undefined, why: before.why }
  const sockets = socketsListenedToBy(pid)
  try {
    for (const socket of sockets.filter(one => isServerOf(one, pid))) {
      const answer = await readServer(socket, pid)
      if (answer?.pid === pid) return { process, answer, why: '' }
    }
  } catch (error) {
    // No client could be started for any server, so none of them was asked.
    if (limitMet(error) !== undefined) throw error
    const why = messageOf(error)
    silent.set(pid, { pid, start, why, until: performance.now() + SILENT_MS })
    return { process, answer: undefined, why }
  }
  return { process, answer: undefined, why: await whyUnreachable(process) }
}
