import { createHash, timingSafeEqual } from 'node:crypto'
import fs from 'node:fs'
import { CleanupError, messageOf } from '../errors.ts'
import { openRegular } from '../platform/files/regular-file.ts'
import { ownUid } from '../platform/files/trust.ts'

/** Visible ASCII without spaces, which a header carries unchanged. */
const TOKEN = /^[\x21-\x7e]{16,}$/
/** In bytes. */
const MAX_LENGTH = 4_096

/**
 * Reads the token that requests to the TCP port must carry. The file must belong to `uid`, and nobody else may read it.
 * Throws a CleanupError (`bad-argument`), which never quotes the content.
 */
export function readToken(file: string, uid: number | undefined): string {
  const refused = (why: string) =>
    new CleanupError('bad-argument', `The token file ${JSON.stringify(file)} is refused: ${why}.`)
  let descriptor: number
  try {
    descriptor = openRegular(file, uid ?? ownUid())
  } catch (error) {
    throw refused(messageOf(error))
  }
  try {
    const found = fs.fstatSync(descriptor)
    if (found.uid !== uid) throw refused(`expected a file of user ${uid}, found one of user ${found.uid}`)
    if ((found.mode & 0o077) !== 0)
      throw refused('expected a file that only its owner may read; run chmod 600 on it')
    const bytes = Buffer.alloc(MAX_LENGTH + 1)
    const length = fs.readSync(descriptor, bytes)
    const token = bytes.toString('latin1', 0, length).trim()
    if (length > MAX_LENGTH || !TOKEN.test(token))
      throw refused('expected one line with a token of at least 16 visible ASCII characters, without spaces')
    return token
  } finally {
    fs.closeSync(descriptor)
  }
}

/** Whether an Authorization header carries the token. Compares hashes, because timingSafeEqual needs equal lengths. */
export function hasToken(header: string | undefined, token: string): boolean {
  const shown = /^bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? ''
  return timingSafeEqual(digest(shown), digest(token))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
