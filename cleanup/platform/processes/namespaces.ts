import fs from 'node:fs'
import { backend } from './backend.ts'
import { listProc } from './proc.ts'
import { readProcLink, statusField } from './proc-file.ts'

/*
 * We also see the processes of containers and sandboxes below us. They have their own numbers and paths: their terminal
 * 34817, their /tmp/tmux-0/default and their server 14 are not ours. Systems without /proc have no such namespaces.
 */

/** The pid namespace that the kernel starts with (PROC_PID_INIT_INO in include/linux/proc_ns.h). It shows all processes. */
const INITIAL = '4026531836'

let own: string | undefined

/** Our own pid namespace, by its inode; undefined when that cannot be read. */
export function ownPidNamespace(): string | undefined {
  own ??= pidNamespaceOf('self')
  return own
}

/** True in the namespace that shows every process of the machine. */
export const seesAllNamespaces = (): boolean => ownPidNamespace() === INITIAL

/** True when a process is in our pid namespace, so that a pid in its environment means the same process for us. */
export function sharesPids(pid: number): boolean {
  if (backend !== 'proc') return true
  const ours = ownPidNamespace()
  return ours !== undefined && pidNamespaceOf(pid) === ours
}

/**
 * True when a process is in another pid namespace, which is one below ours. False for one that has ended, or whose
 * namespace we may not know.
 */
export function isInOtherNamespace(pid: number): boolean {
  if (backend !== 'proc') return false
  const namespace = pidNamespaceOf(pid)
  return namespace === undefined ? isNested(pid) : namespace !== ownPidNamespace()
}

/**
 * True when a process runs in the given pid namespace; undefined when that cannot be known from here: we do not see all
 * namespaces, or must not inspect a process in one, as that of another user. Throws a CleanupError (`processes-hidden`) when
 * /proc hides processes.
 */
export function isOccupied(namespace: string): boolean | undefined {
  if (!seesAllNamespaces()) return undefined
  scan ??= scanNamespaces()
  const { occupied, isWhole } = scan
  return occupied.has(namespace) ? true : isWhole ? false : undefined
}

/** Shared by all calls in one turn of the event loop: a sweep asks for each agent. */
let scan: ReturnType<typeof scanNamespaces> | undefined

function scanNamespaces(): { occupied: ReadonlySet<string>; isWhole: boolean } {
  setImmediate(() => {
    scan = undefined
  })
  const occupied = new Set<string>()
  let isWhole = true
  for (const pid of listProc()) {
    const found = pidNamespaceOf(pid)
    if (found !== undefined) occupied.add(found)
    else if (isNested(pid)) isWhole = false
  }
  return { occupied, isWhole }
}

const pidNamespaceOf = (pid: number | 'self'): string | undefined =>
  /^pid:\[(\d+)\]$/.exec(readProcLink(`/proc/${pid}/ns/pid`) ?? '')?.[1]

/** A process has one pid in each namespace that it is visible in. */
const isNested = (pid: number): boolean => (namespaceDepth(pid) ?? 1) > 1

/**
 * How many pid namespaces a process is in, from ours down: 1 means ours. Everybody may read it, also of a process whose links
 * in /proc are hidden (PR_SET_DUMPABLE, other users). Undefined when the process is gone.
 */
export function namespaceDepth(pid: number): number | undefined {
  if (backend !== 'proc') return 1
  return statusField(pid, 'NSpid')?.trim().split(/\s+/).length
}

/**
 * True when a process has our mount namespace, or that of process 1, which a service of the machine's manager does not have.
 * Elsewhere the same path may mean another file.
 */
export function sharesFiles(pid: number): boolean {
  if (backend !== 'proc') return true
  const mounts = mountNamespaceOf(pid)
  return mounts !== undefined && (mounts === mountNamespaceOf('self') || mounts === mountNamespaceOf(1))
}

const mountNamespaceOf = (pid: number | 'self') => readProcLink(`/proc/${pid}/ns/mnt`)

/**
 * True when two processes see the same terminals. Each mount of devpts numbers its terminals from 0, so the device number in
 * /proc/<pid>/stat identifies a terminal only together with the mount.
 */
export function shareTerminals(one: number, other: number): boolean {
  if (backend !== 'proc') return true
  const device = terminalsOf(one)
  return device !== undefined && device === terminalsOf(other)
}

function terminalsOf(pid: number): bigint | undefined {
  try {
    return fs.statSync(`/proc/${pid}/root/dev/pts`, { bigint: true }).dev
  } catch {
    return undefined
  }
}
