import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CannotMeasureError } from '../errors.ts'

const ending = '.sock'

/** What unix(7) and macOS allow for the path of a socket, in bytes. */
const longestPath = process.platform === 'darwin' ? 103 : 107
/** Linux gives no longer pid. */
const longestName = `4194304${ending}`

/**
 * The user's private folder with a socket for each reproduction that runs. It is made if it is missing.
 * @throws CannotMeasureError where it belongs to somebody else, or others may enter it: whoever connects gets a shell;
 * and where its path is too long
 */
export function stateFolder(): string {
  const folder = placeOfFolder()
  if (Buffer.byteLength(join(folder, longestName)) > longestPath)
    throw new CannotMeasureError(
      `${folder}, where the sockets of reproductions lie, is too long a path for a socket: set XDG_RUNTIME_DIR or TMPDIR to a shorter one.`,
    )
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw refused(folder, `cannot be made (${code})`)
  }
  const stat = lstatSync(folder)
  if (!stat.isDirectory()) throw refused(folder, 'is no folder')
  if (stat.uid !== process.getuid?.()) throw refused(folder, `belongs to the user ${stat.uid}`)
  if (stat.mode & 0o077) throw refused(folder, 'is open to other users')
  return folder
}

function placeOfFolder(): string {
  const { XDG_RUNTIME_DIR: runtime } = process.env
  const uid = process.getuid?.() ?? 'user'
  return runtime?.startsWith('/') ? join(runtime, 'leakrig') : join(tmpdir(), `leakrig-${uid}`)
}

const refused = (folder: string, why: string): CannotMeasureError =>
  new CannotMeasureError(
    `${folder}, where the sockets of reproductions lie, ${why}: remove it, or set XDG_RUNTIME_DIR to a folder of your own.`,
  )

/** The socket of the reproduction that this process has started, or another one. */
export const socketFile = (pid: number): string => join(stateFolder(), `${pid}${ending}`)

/** Every socket of this user, also of a reproduction that was killed. A link or another file is left alone. */
export function socketFiles(): string[] {
  if (!existsSync(placeOfFolder())) return []
  const folder = stateFolder()
  return readdirSync(folder)
    .filter(name => name.endsWith(ending))
    .map(name => join(folder, name))
    .filter(isOwnSocket)
}

function isOwnSocket(file: string): boolean {
  const stat = lstatSync(file, { throwIfNoEntry: false })
  return stat?.isSocket() === true && stat.uid === process.getuid?.()
}

/** Removes a socket, and the folder with the last one. */
export function removeSocket(file: string): void {
  rmSync(file, { force: true })
  try {
    rmdirSync(join(file, '..'))
  } catch {
    // Another reproduction has its socket there, or has removed the folder.
  }
}
