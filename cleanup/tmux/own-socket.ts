import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, systemCode } from '../errors.ts'
import { whyUnsafe } from '../platform/files/safe-folder.ts'
import { ownUid } from '../platform/files/trust.ts'
import { isListenedToBy, isListenedToByUs, isListening } from './listener.ts'

/**
 * The real path of a tmux socket that is safe to query; undefined when no server listens on it. A tmux client trusts its
 * server, which can make it open files and can redefine any command (`command-alias`). `tmux -S` skips tmux's own check of
 * the socket's owner, so we check before we start a client: only our user and root can replace the socket, it belongs to
 * us, and so does the process that listens. Without /proc the listener is unknown, and only owners and modes are checked.
 * Throws a CleanupError (`tmux-unreachable`) that says what is wrong.
 *
 * The client opens the path after the check. That is safe: only our user and root can replace an entry in the folders that
 * were checked, and a socket file never gets another listener, because bind(2) creates a new file or fails.
 */
export async function ownSocket(socket: string): Promise<string | undefined> {
  const real = realPath(socket)
  const found = real && statOf(socket, real)
  if (!found) return undefined
  const unsafe = whyUnsafe(path.dirname(real))
  if (unsafe) throw notQueried(socket, unsafe.why, unsafe.advice)
  const why = whyNotOurs(found)
  if (why) throw notQueried(socket, why, 'remove or rename it')
  if (isListenedToByUs(real, found)) return real
  if (!(await isListening(real))) return undefined
  // It may have begun to listen after the first check.
  if (isListenedToByUs(real, found)) return real
  throw notQueried(
    socket,
    'no process of ours listens on it, so another user or a container does',
    'end that process',
  )
}

/**
 * True when the process listens on a socket. The pid that a server reports proves nothing (`command-alias` redefines the
 * query): an agent's server could pose as the user's.
 */
export function isServerOf(socket: string, pid: number): boolean {
  const real = realPath(socket)
  const found = real && statOf(socket, real)
  return found ? isListenedToBy(pid, real, found) : false
}

/** The path with the links of its folder resolved. The last name is not followed, so that a link in its place is detected. */
function realPath(socket: string): string | undefined {
  try {
    return path.join(fs.realpathSync(path.dirname(socket)), path.basename(socket))
  } catch (error) {
    return nothingThere(socket, error)
  }
}

function statOf(socket: string, real: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(real)
  } catch (error) {
    if (systemCode(error) !== 'EACCES') return nothingThere(socket, error)
    const { why = 'its folder cannot be searched', advice = 'grant us that permission' } =
      whyUnsafe(path.dirname(real)) ?? {}
    throw notQueried(socket, why, advice)
  }
}

/** Returns undefined when nothing exists at the path, and throws for every other error. */
function nothingThere(socket: string, error: unknown): undefined {
  const code = systemCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
  throw notQueried(socket, `it cannot be examined (${code})`, 'make its folder readable for us')
}

function whyNotOurs(found: fs.Stats): string | undefined {
  if (found.isSymbolicLink()) return 'it is a link, and its target could be anybody’s socket'
  if (!found.isSocket()) return 'it is not a socket'
  if (found.uid !== ownUid()) return `it belongs to user ${found.uid}, not to us`
  return (found.mode & fs.constants.S_IWOTH) === 0 ? undefined : 'every user may write to it'
}

function notQueried(socket: string, why: string, advice: string): CleanupError {
  return new CleanupError(
    'tmux-unreachable',
    `The tmux server on ${socket} was not queried: ${why}. Another user’s tmux server could read and write files as us, so nothing was queried, ended or deleted; ${advice}, or name another TMUX_TMPDIR, then try again.`,
  )
}
