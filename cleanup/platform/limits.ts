import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, messageOf, systemCode } from '../errors.ts'
import { ownUid } from './files/trust.ts'

/**
 * The limit that an error reports, in words: of processes, open files or memory; undefined for any other error. Such an
 * error says nothing about the thing that was to be read or asked. Looks at the causes of a CleanupError too.
 */
export function limitMet(error: unknown): string | undefined {
  if (error instanceof CleanupError) return limitMet(error.cause)
  const code = systemCode(error)
  if (code === 'EMFILE')
    return `this process has reached its limit of open files${ownLimit('Max open files')} (ulimit -n)`
  if (code === 'ENFILE') return 'the machine has reached its limit of open files (sysctl fs.file-max)'
  if (code === 'ENOMEM') return 'the machine, or the cgroup of this process, has no memory left'
  // Other calls return EAGAIN where they would only have to wait.
  return code === 'EAGAIN' && isSpawn(error) ? processLimit() : undefined
}

/** How often a watch that failed is set up again, in ms. */
export const WATCH_AGAIN_MS = 5_000

/** Why a file or folder cannot be watched, in words. inotify reports its own limits by codes that otherwise mean another one. */
export function whyNotWatched(error: unknown): string {
  const code = systemCode(error)
  if (code === 'EMFILE')
    return 'no inotify instance is left for this user (sysctl fs.inotify.max_user_instances), or no open file for this process (ulimit -n)'
  if (code === 'ENOSPC') return 'no inotify watch is left for this user (sysctl fs.inotify.max_user_watches)'
  return messageOf(error)
}

/** Throws an error that reports a limit, as a CleanupError; returns for any other. */
export function requireResources(error: unknown, what: string): void {
  const limit = limitMet(error)
  if (limit === undefined) return
  throw new CleanupError(
    'limit-reached',
    `${what} could not be read: ${limit}. That does not mean that it is gone; raise the limit or end what uses it up, then try again.`,
    { cause: error },
  )
}

const isSpawn = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && /^(spawn|fork)/.test(String(error.syscall))

/** fork(2) returns EAGAIN for the limit of the user and for that of a cgroup. Only the latter is known to be full. */
function processLimit(): string {
  const full = fullCgroup()
  if (full)
    return `the cgroup ${full.folder} has reached its limit of ${full.most} processes and threads (pids.max)`
  const limit = ownLimit('Max processes')
  return limit
    ? `user ${ownUid()} has reached its limit${limit} processes and threads (ulimit -u)`
    : 'the machine has reached its limit of processes and threads (sysctl kernel.threads-max)'
}

/** A soft limit of this process as ` of <number>`, from /proc/self/limits (proc(5)); empty where there is none. */
function ownLimit(name: string): string {
  const soft = new RegExp(`^${name} +(\\d+) `, 'm').exec(readText('/proc/self/limits'))?.[1]
  return soft === undefined ? '' : ` of ${soft}`
}

/** The innermost cgroup around this process with as many processes as it may have (pids controller, version 1 or 2). */
function fullCgroup(): { folder: string; most: number } | undefined {
  const mounts = readText('/proc/self/mountinfo')
  const own = readText('/proc/self/cgroup')
  for (const [inMounts, inOwn] of [
    [/^(?:\S+ ){4}(\S+) .* - cgroup \S+ \S*\bpids\b/m, /^\d+:[\w,=]*\bpids\b[\w,=]*:(\/.*)$/m],
    [/^(?:\S+ ){4}(\S+) .* - cgroup2 /m, /^0::(\/.*)$/m],
  ] as const) {
    const root = inMounts.exec(mounts)?.[1]
    const below = inOwn.exec(own)?.[1]
    if (root === undefined || below === undefined) continue
    for (let folder = path.join(root, below); folder.startsWith(root); folder = path.dirname(folder)) {
      const most = Number.parseInt(readText(path.join(folder, 'pids.max')), 10)
      if (Number.parseInt(readText(path.join(folder, 'pids.current')), 10) >= most) return { folder, most }
    }
  }
  return undefined
}

/** Empty where it cannot be read: these files only make a sentence more precise. */
function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
