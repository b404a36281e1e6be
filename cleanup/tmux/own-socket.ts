import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, systemCode } from '../errors.ts'
import { whyUnsafe } from '../platform/files/safe-folder.ts'
import { ownUid } from '../platform/files/trust.ts'
import { isListenedToBy, isListenedToByUs } from './listener.ts'
import { isListening } from './listening.ts'

/**
 * The real path of a tmux socket that we may ask, or undefined when no server is behind it. A tmux client trusts its
 * server: that may have it open files, and may give any command another meaning (`command-alias`). `tmux -S` skips
 * tmux's own check of who made the socket, so it is done here, before any client starts: only we or root can put
 * something in the socket's place, the socket is ours, and so is the process that listens. Throws `tmux-unreachable`
 * with what is wrong. Without /proc nothing tells who listens, and only the owners and modes are checked.
 *
 * The client opens the path after we have looked. That window does not matter, because nobody but us or root can
 * replace an entry in folders such as were checked, and a socket file never gets another listener: bind(2) makes a
 * new file or fails.
 */
export async function ownSocket(socket: string): Promise<string | undefined> {
  const real = realPath(socket)
  const found = real && look(socket, real)
  if (!found) return undefined
  const unsafe = whyUnsafe(path.dirname(real))
  if (unsafe) throw notAsked(socket, unsafe.why, unsafe.advice)
  const why = whyNotOurs(found)
  if (why) throw notAsked(socket, why, 'remove or rename it')
  if (isListenedToByUs(real, found)) return real
  if (!(await isListening(real))) return undefined
  // It may have begun to listen since we looked.
  if (isListenedToByUs(real, found)) return real
  throw notAsked(
    socket,
    'no process of ours listens on it, so another user or a container does',
    'end that process',
  )
}

/**
 * True when this process is the server behind a socket. A server says what it likes of itself (`command-alias`), and
 * one of an agent's could pass itself off as the user's.
 */
export function isServerOf(socket: string, pid: number): boolean {
  const real = realPath(socket)
  const found = real && look(socket, real)
  return found ? isListenedToBy(pid, real, found) : false
}

/** Its folder as it really is; the last name is not followed, so that a link in the socket's place is seen. */
function realPath(socket: string): string | undefined {
  try {
    return path.join(fs.realpathSync(path.dirname(socket)), path.basename(socket))
  } catch (error) {
    return nothingThere(socket, error)
  }
}

function look(socket: string, real: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(real)
  } catch (error) {
    if (systemCode(error) !== 'EACCES') return nothingThere(socket, error)
    const { why = 'its folder may not be looked into', advice = 'give us that right' } =
      whyUnsafe(path.dirname(real)) ?? {}
    throw notAsked(socket, why, advice)
  }
}

/** Returns undefined for a path at which there is nothing; what else goes wrong is told. */
function nothingThere(socket: string, error: unknown): undefined {
  const code = systemCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
  throw notAsked(socket, `it cannot be looked at (${code})`, 'make its folder readable for us')
}

function whyNotOurs(found: fs.Stats): string | undefined {
  if (found.isSymbolicLink()) return 'it is a link, and its target could be anybody’s socket'
  if (!found.isSocket()) return 'it is no socket'
  if (found.uid !== ownUid()) return `it belongs to user ${found.uid}, not to us`
  return (found.mode & fs.constants.S_IWOTH) === 0 ? undefined : 'every user may write to it'
}

function notAsked(socket: string, why: string, advice: string): CleanupError {
  return new CleanupError(
    'tmux-unreachable',
    `The tmux server on ${socket} was not asked: ${why}. A tmux server of somebody else could read and write files as us, so nothing was asked, ended or deleted; ${advice}, or name another TMUX_TMPDIR, then try again.`,
  )
}
