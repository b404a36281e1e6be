import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { CleanupError, systemCode } from '../errors.ts'

export type Packing = 'zstd' | 'gzip'

/** What a content is known by: its length and its hash. */
export interface Digest {
  bytes: number
  sha256: string
}

const CHUNK_BYTES = 256 * 1024
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
  await using from = await openToRead(source)
  const stat = await from.stat()
  if (!stat.isFile()) throw new CleanupError('bad-argument', 'it is no file any more')
  const digest = await writeDraft(draft, stat, async to => {
    const { through, digest } = digester()
    await pipeline(chunksOf(from), through, PACK[packing](), packed => to.writeFile(packed), { signal })
    return digest()
  })
  const unpacked = await digestOf(draft, packing, signal)
  if (unpacked.bytes === digest.bytes && unpacked.sha256 === digest.sha256) return digest
  throw new CleanupError('tmux-unreachable', 'unpacked again, it was not the same')
}

/** What a compressed file's content is known by. */
export async function digestOf(file: string, packing: Packing, signal?: AbortSignal): Promise<Digest> {
  await using from = await openToRead(file)
  const { through, digest } = digester()
  through.resume()
  await pipeline(chunksOf(from), UNPACK[packing](), through, { signal })
  return digest()
}

async function writeDraft(
  draft: string,
  { mode, uid, gid, atime, mtime }: fs.Stats,
  write: (to: FileHandle) => Promise<Digest>,
): Promise<Digest> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
  await using to = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  const digest = await write(to)
  // Only root can give a file away; where it is ours already this changes nothing.
  if (process.geteuid?.() === 0) await to.chown(uid, gid)
  await to.chmod(mode & 0o7777)
  await to.utimes(atime, mtime)
  await to.sync()
  return digest
}

/** A FIFO that somebody has put in the file's place is not waited for, and a link is not followed. */
function openToRead(file: string): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  return open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
}

/** Not a stream of Node's: one that fails closes the descriptor under whoever opened it. */
async function* chunksOf(from: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytesRead, buffer } = await from.read({ buffer: Buffer.allocUnsafe(CHUNK_BYTES) })
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
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
