import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { CleanupError, systemCode } from '../errors.ts'

export type Packing = 'zstd' | 'gzip'

/** What a content is known by: its length and its hash. */
export interface Digest {
  bytes: number
  sha256: string
}

const PACK = { zstd: zlib.createZstdCompress, gzip: zlib.createGzip }
const UNPACK = { zstd: zlib.createZstdDecompress, gzip: zlib.createGunzip }

/**
 * Writes a file's compressed form to a draft, syncs it, unpacks it again and compares. Returns what the content is
 * known by. Times, mode and owner are the file's own, so that its age stays. Throws when the two differ.
 */
export async function pack(
  source: string,
  draft: string,
  packing: Packing,
  signal?: AbortSignal,
): Promise<Digest> {
  discard(draft)
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  const from = fs.openSync(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stat = fs.fstatSync(from)
    if (!stat.isFile()) throw new CleanupError('bad-argument', 'it is no file any more')
    const read = digester()
    await writeDraft(draft, stat, async to => {
      const input = fs.createReadStream('', { fd: from, autoClose: false })
      await pipeline(input, read.through, PACK[packing](), to, { signal })
    })
    const unpacked = await digestOf(draft, packing, signal)
    const digest = read.digest()
    if (unpacked.bytes === digest.bytes && unpacked.sha256 === digest.sha256) return digest
    throw new CleanupError('could-not-ask', 'unpacked again, it was not the same')
  } finally {
    fs.closeSync(from)
  }
}

/** What a compressed file's content is known by. */
export async function digestOf(file: string, packing: Packing, signal?: AbortSignal): Promise<Digest> {
  const { through, digest } = digester()
  through.resume()
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)
  await pipeline(fs.createReadStream('', { fd }), UNPACK[packing](), through, { signal })
  return digest()
}

async function writeDraft(
  draft: string,
  { mode, uid, gid, atime, mtime }: fs.Stats,
  write: (to: Writable) => Promise<void>,
): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
  const to = fs.openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    await write(fs.createWriteStream('', { fd: to, autoClose: false }))
    // Only root can give a file away; where it is ours already this changes nothing.
    if (process.geteuid?.() === 0) fs.fchownSync(to, uid, gid)
    fs.fchmodSync(to, mode & 0o7777)
    fs.futimesSync(to, atime, mtime)
    fs.fsyncSync(to)
  } finally {
    fs.closeSync(to)
  }
}

/** Half a draft of one that was killed. */
function discard(draft: string): void {
  try {
    fs.unlinkSync(draft)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

function digester(): { through: Transform; digest: () => Digest } {
  const hash = createHash('sha256')
  let bytes = 0
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
  })
  return { through, digest: () => ({ bytes, sha256: hash.digest('hex') }) }
}
