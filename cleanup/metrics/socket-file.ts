import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { CleanupError, systemCode } from '../errors.ts'
import { whyUnsafe } from '../platform/files/safe-folder.ts'

/** The kernel's `sun_path` has 108 bytes on Linux and 104 on macOS, including a zero at the end. */
const MAX_PATH_BYTES = 103

const refuse = (file: string, expected: string) =>
  new CleanupError(
    'bad-argument',
    `The metrics socket ${JSON.stringify(file)} is refused: expected ${expected}.`,
  )

/**
 * Checks the path at which user `uid` will create a Unix socket, and returns it with its folders' links resolved. Only
 * `uid` and root may be able to put another socket there. Throws a CleanupError (`bad-argument`).
 */
export function validateSocketFile(file: string, uid: number | undefined): string {
  if (!path.isAbsolute(file)) throw refuse(file, 'an absolute path')
  const folder = realFolder(file)
  if (fs.statSync(folder).uid !== uid) throw refuse(file, `a folder of user ${uid}`)
  if ((fs.statSync(folder).mode & 0o022) !== 0)
    throw refuse(file, 'a folder that only its owner may write to')
  const unsafe = whyUnsafe(folder, uid)
  if (unsafe) throw refuse(file, `a folder that no other user can move, but ${unsafe.why}; ${unsafe.advice}`)
  const real = path.join(folder, path.basename(file))
  if (Buffer.byteLength(real) > MAX_PATH_BYTES)
    throw refuse(file, `a path of at most ${MAX_PATH_BYTES} bytes, the limit of the kernel`)
  const found = fs.lstatSync(real, { throwIfNoEntry: false })
  if (found && !found.isSocket()) throw refuse(file, 'a free name, found something that is not a socket')
  if (found && found.uid !== uid) throw refuse(file, 'a free name, found a socket of another user')
  return real
}

/**
 * Removes the socket of a killed daemon: a socket that passed `validateSocketFile` and that no process listens on.
 * Throws a CleanupError (`bad-argument`) when a process does, or when that is unknown.
 */
export async function removeStaleSocket(real: string): Promise<void> {
  if (!fs.lstatSync(real, { throwIfNoEntry: false })) return
  const answer = await new Promise<string | undefined>(resolve => {
    const client = net.connect(real, () => {
      client.destroy()
      resolve(undefined)
    })
    client.on('error', error => resolve(systemCode(error)))
  })
  // ECONNREFUSED proves that no process has the socket open; with a full queue the error is EAGAIN.
  if (answer === 'ECONNREFUSED') fs.rmSync(real, { force: true })
  else if (answer !== 'ENOENT')
    throw refuse(
      real,
      `a socket that no program listens on, found ${answer ?? 'a listening program'}; choose another name`,
    )
}

function realFolder(file: string): string {
  try {
    const folder = fs.realpathSync(path.dirname(file))
    if (fs.statSync(folder).isDirectory()) return folder
  } catch (error) {
    throw refuse(file, `an existing folder, found ${systemCode(error)}`)
  }
  throw refuse(file, 'an existing folder')
}
