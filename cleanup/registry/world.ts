import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import { CleanupError } from '../errors.ts'
import { isJson } from '../platform/files/json.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { backend } from '../platform/processes/backend.ts'
import { isOccupied, ownPidNamespace, seesAllNamespaces } from '../platform/processes/namespaces.ts'
import { readProcLink, readProcText } from '../platform/processes/proc-file.ts'
import type { AgentEntry } from './entries.ts'
import { type AgentRef, streamLog } from './layout.ts'

/*
 * What was not seen from here is not gone. A pid, a terminal and a socket mean something only in the world in which they
 * were recorded: one boot of one machine, and one pid namespace of it. A workspace may be shared with other worlds: a
 * container, another machine. So whoever deploys an agent records its world, and whoever finds nothing of the agent first
 * compares that with its own. claims/seen-from-here.ts does the same for entries without such a record.
 */

/** Where an agent was deployed. */
export interface World {
  /** The host name, which a container may have to itself. */
  host: string
  /** A fingerprint of the machine's id, which programs must not show (machine-id(5)); absent where there is none. */
  machine?: string
  /** /proc/sys/kernel/random/boot_id. All containers of a machine share it. */
  boot_id: string
  /** The inode of the pid namespace. */
  pid_namespace: string
  /** That of the time namespace, which shifts the start times of processes; absent on kernels without. */
  time_namespace?: string
}

let own: World | undefined

/** The world of this process, for the field `deployed_on` of an agent's entry; undefined without /proc. */
export function thisWorld(): World | undefined {
  own ??= readWorld()
  return own
}

function readWorld(): World | undefined {
  const boot_id = backend === 'proc' ? readProcText('/proc/sys/kernel/random/boot_id')?.trim() : undefined
  const pid_namespace = ownPidNamespace()
  if (!boot_id || pid_namespace === undefined) return undefined
  const machine = machineFingerprint()
  const time_namespace = /\d+/.exec(readProcLink('/proc/self/ns/time') ?? '')?.[0]
  return {
    host: os.hostname(),
    ...(machine !== undefined && { machine }),
    boot_id,
    pid_namespace,
    ...(time_namespace !== undefined && { time_namespace }),
  }
}

function machineFingerprint(): string | undefined {
  try {
    const id = fs.readFileSync('/etc/machine-id', 'latin1').trim()
    return id === '' ? undefined : createHash('sha256').update(`leakrig ${id}`).digest('hex').slice(0, 16)
  } catch {
    return undefined
  }
}

/** The world that an entry records; undefined when the field is missing, incomplete or another program's. */
export const recordedWorld = ({ deployed_on }: Pick<AgentEntry, 'deployed_on'>): World | undefined =>
  worldIn(deployed_on)

/** The world that a field of a file records; undefined when it is none. */
export function worldIn(world: unknown): World | undefined {
  if (!isJson(world)) return undefined
  const isText = (name: string) => typeof world[name] === 'string' && world[name] !== ''
  const isWhole = ['host', 'boot_id', 'pid_namespace'].every(isText)
  const isValid = ['machine', 'time_namespace'].every(name => world[name] === undefined || isText(name))
  return isWhole && isValid ? (world as unknown as World) : undefined
}

/** Where a recorded world is, as far as it can be known from here. */
export type Whereabouts =
  | { is: 'here' }
  /** Nothing that ran there can run any more; `why` is the reason in words. */
  | { is: 'gone'; why: string }
  /** It may exist; `where` names it. */
  | { is: 'elsewhere'; where: string }

/** What `whereIs` asks about the machine. */
export interface Sight {
  here: World | undefined
  /** Whether a pid namespace of this machine has a process; undefined when that cannot be seen from here. */
  isOccupied: (namespace: string) => boolean | undefined
}

/** Decides where a recorded world is. */
export function whereIs(recorded: World, { here, isOccupied }: Sight): Whereabouts {
  const { host, boot_id, pid_namespace, time_namespace } = recorded
  if (boot_id !== here?.boot_id) {
    if (here && host === here.host && recorded.machine === here.machine)
      return { is: 'gone', why: `the machine ${host} was restarted` }
    return { is: 'elsewhere', where: `on another machine or in its container (host ${host})` }
  }
  if (pid_namespace !== here.pid_namespace) {
    const occupied = isOccupied(pid_namespace)
    if (occupied === false) return { is: 'gone', why: `the container of host name ${host} was removed` }
    const state = occupied ? ', where processes run' : ''
    return { is: 'elsewhere', where: `in pid namespace ${pid_namespace} (host ${host})${state}` }
  }
  // The start times of processes, by which they are told apart, are others there.
  return time_namespace === here.time_namespace
    ? { is: 'here' }
    : { is: 'elsewhere', where: `in another time namespace (host ${host})` }
}

/** Where a recorded world is, seen from this process. */
export const whereIsNow = (recorded: World): Whereabouts =>
  whereIs(recorded, { here: thisWorld(), isOccupied })

/** The time namespace that the kernel starts with (PROC_TIME_INIT_INO in include/linux/proc_ns.h). */
const INITIAL_TIME = '4026531834'

/** Where the world of an agent is; undefined when its entry records none. */
function whereDeployed(entry: AgentEntry): Whereabouts | undefined {
  const recorded = recordedWorld(entry)
  if (recorded) return whereIsNow(recorded)
  // Every recorded process would seem to be gone, because another one seems to have its pid.
  const seesOtherTimes = (thisWorld()?.time_namespace ?? INITIAL_TIME) !== INITIAL_TIME
  return seesOtherTimes && isJson(entry.tmux)
    ? { is: 'elsewhere', where: 'in a time namespace that its entry does not record' }
    : undefined
}

/** True when the pids, terminals and sockets in an entry are not known to be another world's. */
export const isDeployedHere = (entry: AgentEntry): boolean => (whereDeployed(entry)?.is ?? 'here') === 'here'

/**
 * False when a process that has a file of the agent's open may be invisible here: it runs in another container, or on another
 * machine. From the machine's own namespace every process is seen.
 */
export function areHoldersSeen(entry: AgentEntry): boolean {
  const isOfThisBoot = recordedWorld(entry)?.boot_id === thisWorld()?.boot_id
  return (isOfThisBoot && seesAllNamespaces()) || whereDeployed(entry)?.is !== 'elsewhere'
}

/**
 * Throws a CleanupError (`elsewhere`) when an agent was deployed in another world that may exist. Returns why everything
 * that ran in its world has ended, in words; undefined when its world is this one or is not recorded.
 */
export function requireWorld(entry: AgentEntry): string | undefined {
  const found = whereDeployed(entry)
  if (found?.is === 'elsewhere') throw elsewhere(entry, `it was deployed ${found.where}`)
  return found?.is === 'gone' ? `${found.why} since it was deployed` : undefined
}

/** `requireWorld`, which also believes the agent's log: machines with the same name and id exist. */
export function requireDeployedHere(ref: AgentRef, entry: AgentEntry): string | undefined {
  const gone = requireWorld(entry)
  const isEarlierBoot = gone !== undefined && recordedWorld(entry)?.boot_id !== thisWorld()?.boot_id
  // Nothing that was started before this machine was can have written since.
  if (isEarlierBoot && wasWrittenSinceBoot(streamLog(ref)))
    throw elsewhere(entry, `${gone}, and its log was written after that`)
  return gone
}

function wasWrittenSinceBoot(log: string): boolean {
  const stat = statAt(log)
  return stat !== undefined && stat.mtimeMs > Date.now() - os.uptime() * 1000
}

/** The refusal to judge about, or to touch, an agent that cannot be seen from here. */
export function elsewhere({ id }: Pick<AgentEntry, 'id'>, why: string): CleanupError {
  const here = thisWorld()
  const place = here ? `pid namespace ${here.pid_namespace} on host ${here.host}` : `host ${os.hostname()}`
  return new CleanupError(
    'elsewhere',
    `Agent ${id} cannot be seen from here (${place}): ${why}. It may live, so nothing was ended, moved or recorded; run this command there. If that place is gone for good, remove "deployed_on" from the agent’s entry.`,
  )
}
