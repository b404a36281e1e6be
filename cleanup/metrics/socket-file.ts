import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { CleanupError, systemCode } from '../errors.ts'
import { whyUnsafe } from '../platform/files/safe-folder.ts'

/** The kernel's `sun_path`: 108 bytes on Linux and 104 on macOS, with the zero at the end. */
const LONGEST_PATH = 103

const refuse = (file: string, expected: string) =>
  new CleanupError(
    'bad-argument',
    `The metrics socket ${JSON.stringify(file)} is refused: expected ${expected}.`,
  )

/**
 * Checks where a Unix socket shall be made by `uid`, and returns its path without symbolic links in its folders. Nobody
 * but `uid` and root may be able to put another socket there. Throws a CleanupError (`bad-argument`).
 */
export function validateSocketFile(file: string, uid: number | undefined): string {
  if (!path.isAbsolute(file)) throw refuse(file, 'an absolute path')
  const folder = realFolder(file)
  if (fs.statSync(folder).uid !== uid) throw refuse(file, `a folder of user ${uid}`)
  if ((fs.statSync(folder).mode & 0o022) !== 0)
    throw refuse(file, 'a folder that only its owner may write to')
  const unsafe = whyUnsafe(folder, uid)
  if (unsafe)
    throw refuse(file, `that no other user can move its folder, but ${unsafe.why}; ${unsafe.advice}`)
  const real = path.join(folder, path.basename(file))
  if (Buffer.byteLength(real) > LONGEST_PATH)
    throw refuse(file, `a path of at most ${LONGEST_PATH} bytes, which is all that a socket may have`)
  const found = fs.lstatSync(real, { throwIfNoEntry: false })
  if (found && !found.isSocket()) throw refuse(file, 'a name that is free, found something that is no socket')
  if (found && found.uid !== uid) throw refuse(file, 'a name that is free, found a socket of another user')
  return real
}

/**
 * Removes the socket of a daemon that was killed: one that passed `validateSocketFile` and on which nobody listens.
 * Throws a CleanupError (`bad-argument`) when somebody does, or when that cannot be seen.
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
  // The kernel refuses a connection only where no process has the socket open; a full queue is EAGAIN.
  if (answer === 'ECONNREFUSED') fs.rmSync(real, { force: true })
  else if (answer !== 'ENOENT')
    throw refuse(real, `that nobody listens there, found ${answer ?? 'another program'}; choose another name`)
}

function realFolder(file: string): string {
  try {
    const folder = fs.realpathSync(path.dirname(file))
    if (fs.statSync(folder).isDirectory()) return folder
  } catch (error) {
    throw refuse(file, `its folder to be there, found ${systemCode(error)}`)
  }
  throw refuse(file, 'its folder to be there')
}
