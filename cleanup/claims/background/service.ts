import { selfAndAncestors } from '../../platform/processes/ancestry.ts'
import { readProcText } from '../../platform/processes/proc-file.ts'
import { hasEnded } from '../../platform/processes/stat.ts'
import type { ProcessTable, SeenProcess } from '../../platform/processes/table.ts'

/*
 * The background service of claude (`claude --bg`, docs/claude.md): a supervisor (`claude daemon run`), below it a host for
 * each session (`bg-pty-host`), and in each host a claude. A worker has a job, and has opened a session (setsid) on its
 * host's terminal; a spare waits for a job, in its host's session. One service serves all of a user's sessions. Everything in
 * it inherits the environment of whoever started it, with the marker, whoever asked for the session.
 */

/** Where in a service a process is. */
export interface InService {
  /** Its supervisor; or its host, once the supervisor has ended: hosts and workers live on. */
  root: SeenProcess
  /** The claude of a session: the process itself, or one that it runs below. */
  worker: SeenProcess | undefined
}

/** One session of a service: a worker in its host. */
export interface Session {
  host: SeenProcess
  worker: SeenProcess
}

/** Finds a process's place in a service. Reads command lines only where the table allows a part of a service. */
export function placeInService(process: SeenProcess, table: ProcessTable): InService | undefined {
  const chain = selfAndAncestors(table, process.pid)
  for (const [at, one] of chain.entries()) {
    const part = partOf(one)
    if (part === 'supervisor') return { root: one, worker: undefined }
    if (part !== 'host') continue
    const above = table.get(one.ppid)
    const below = chain[at - 1]
    return {
      root: above && partOf(above) === 'supervisor' ? above : one,
      worker: below && isWorker(below) ? below : undefined,
    }
  }
  return undefined
}

/** The sessions below a supervisor, or in a host whose supervisor has ended. */
export function sessionsBelow(root: SeenProcess, table: ProcessTable): Session[] {
  const all = [...table.values()]
  const hosts =
    partOf(root) === 'host' ? [root] : all.filter(one => one.ppid === root.pid && partOf(one) === 'host')
  return hosts.flatMap(host =>
    all
      .filter(one => one.ppid === host.pid && isWorker(one) && !hasEnded(one))
      .map(worker => ({ host, worker })),
  )
}

/** The supervisors and, where theirs have ended, the hosts on this machine. */
export function serviceRoots(table: ProcessTable): SeenProcess[] {
  return [...table.values()].filter(one => {
    const part = partOf(one)
    if (part === undefined || hasEnded(one)) return false
    const above = table.get(one.ppid)
    return part === 'supervisor' || !above || partOf(above) !== 'supervisor'
  })
}

/** True for a process that only serves sessions, and has none itself: a supervisor, a host, a spare. */
export function isServicePart(process: SeenProcess, table: ProcessTable): boolean {
  const place = isNamedClaude(process) && process.tty === 0 ? placeInService(process, table) : undefined
  return place !== undefined && place.worker === undefined
}

const isWorker = ({ pid, sid }: SeenProcess): boolean => sid === pid

/** `claude daemon run ...` and `claude bg-pty-host ...`. A script may stand between both, as for a claude that is run by Node. */
const SUPERVISOR = /^[^\0 ]*claude[\0 ]([^\0 ]+[\0 ])?daemon[\0 ]run([\0 ]|$)/
const HOST = /^[^\0 ]*claude[\0 ]([^\0 ]+[\0 ])?(--)?bg-pty-host([\0 ]|$)/

const isNamedClaude = ({ comm }: SeenProcess): boolean => comm.startsWith('claude')

type Part = 'supervisor' | 'host'

const parts = new WeakMap<SeenProcess, Part | 'other'>()

/** By the name and the command line, which a process chooses: they only lead to its being spared, and never to a claim. */
function partOf(process: SeenProcess): Part | undefined {
  // Without a terminal, the leader of its session: no other claude in tmux is, so nothing is read for most agents.
  if (!isNamedClaude(process) || process.tty !== 0 || process.sid !== process.pid) return undefined
  let part = parts.get(process)
  if (part === undefined) {
    const line = readProcText(`/proc/${process.pid}/cmdline`) ?? ''
    part = SUPERVISOR.test(line) ? 'supervisor' : HOST.test(line) ? 'host' : 'other'
    parts.set(process, part)
  }
  return part === 'other' ? undefined : part
}
