import { createHash } from 'node:crypto'
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Header } from 'tar-stream'
import { isGone } from '../errors.ts'
import { WrongNeed } from './needs.ts'

/** A folder, file or link of this machine that is copied into an image. Its owner there is root, and all may read it. */
export interface CopiedFile {
  /** Where it is put. */
  path: string
  type: 'directory' | 'file' | 'symlink'
  mode: number
  /** Where it comes from. A folder that only leads to others has none. */
  source?: string
  /** Its text, for a file that is not on this machine. */
  text?: string
  target?: string
  /** Changes when the content may have changed; undefined for what needs no new image. */
  version: string | undefined
}

/** More than an orchestrator with its packages takes, and few enough bytes to send them to an engine in a minute. */
const mostBytes = 2n << 30n

/**
 * What lies below these paths. Sockets, pipes and devices are left out, and so is what is removed meanwhile.
 * @param place where a path is put
 * @throws WrongNeed for what cannot be read, or is more than 2 GiB
 */
export function filesBelow(paths: readonly string[], place = (path: string) => path): CopiedFile[] {
  const found: CopiedFile[] = []
  let bytes = 0n
  const visit = (source: string) => {
    const stat = lstatSync(source, { bigint: true })
    const file = copied(source, place(source), stat)
    if (!file) return
    found.push(file)
    if (file.type === 'file') bytes += stat.size
    if (bytes > mostBytes) throw new WrongNeed(tooMuch(paths))
    if (file.type === 'directory')
      for (const name of readdirSync(source)) ignoreGone(() => visit(join(source, name)))
  }
  for (const path of paths) ignoreGone(() => visit(path))
  return found
}

const tooMuch = (paths: readonly string[]) =>
  `${paths.map(path => JSON.stringify(path)).join(', ')} cannot be copied into a container, because it is more than ${mostBytes >> 30n} GiB: mount only the folders that are needed, put them into an image (--image), or use --sandbox namespace.`

function ignoreGone<Result>(act: () => Result): Result | undefined {
  try {
    return act()
  } catch (error) {
    if (isGone(error)) return undefined
    if (error instanceof WrongNeed || !(error instanceof Error && 'path' in error)) throw error
    const { path, code } = error as NodeJS.ErrnoException
    throw new WrongNeed(
      `${JSON.stringify(path)} cannot be copied into a container (${code}): make it readable, or mount only the folders that are needed.`,
    )
  }
}

function copied(source: string, path: string, stat: BigIntStats): CopiedFile | undefined {
  // A change of the content changes one of them, even where a program restores the time of the last change.
  const version = [stat.size, stat.mtimeNs, stat.ctimeNs].join(' ')
  const base = { path, source, version }
  const mayRun = (stat.mode & 0o111n) === 0n ? 0 : 0o111
  if (stat.isSymbolicLink())
    return { ...base, type: 'symlink', mode: 0o777, target: readlinkSync(source), version: '' }
  if (stat.isDirectory()) return { ...base, type: 'directory', mode: 0o755, version: '' }
  return stat.isFile() ? { ...base, type: 'file', mode: 0o644 | mayRun } : undefined
}

/** A link that does not exist on this machine. */
export const linkTo = (path: string, target: string): CopiedFile => ({
  path,
  type: 'symlink',
  mode: 0o777,
  target,
  version: '',
})

/** A program that does not exist on this machine. */
export const scriptOf = ([path, text]: readonly [path: string, text: string]): CopiedFile => ({
  path,
  type: 'file',
  mode: 0o755,
  text,
  version: text,
})

/** Folders in which everybody may write. */
const ofAll = ['/tmp', '/var/tmp']

/**
 * The files, with the folders above them: these may exist in an image and be closed to the container's user, as /root is.
 * What is given twice is there once.
 */
export function withFoldersAbove(files: readonly CopiedFile[]): CopiedFile[] {
  const all = new Map(files.map(file => [file.path, file]))
  for (const file of files)
    for (let path = dirname(file.path); path !== '/' && !all.has(path); path = dirname(path))
      all.set(path, { path, type: 'directory', mode: ofAll.includes(path) ? 0o1777 : 0o755, version: '' })
  return [...all.values()].sort((one, other) => (one.path < other.path ? -1 : 1))
}

/** A hash of the files as they are now. */
export function versionOf(files: readonly CopiedFile[]): string {
  const hash = createHash('sha256')
  for (const { path, type, mode, target = '', version } of files)
    if (version !== undefined) hash.update(`${JSON.stringify([path, type, mode, target, version])}\n`)
  return hash.digest('hex')
}

/**
 * An archive of the files below a folder, and of some texts beside it.
 * @throws WrongNeed, by the stream, for a file that cannot be read
 */
export async function archive(
  folder: string,
  files: readonly CopiedFile[],
  texts: Record<string, string>,
): Promise<Readable> {
  const { pack: makePack } = await import('tar-stream')
  const pack = makePack()
  const add = (header: Header, content?: Buffer | string) =>
    new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null) => (error ? reject(error) : resolve())
      if (content === undefined) pack.entry(header, done)
      else pack.entry(header, content, done)
    })
  const addAll = async () => {
    for (const [name, text] of Object.entries(texts)) await add({ name, type: 'file', mode: 0o644 }, text)
    for (const { path, type, mode, source = '', text, target: linkname = '' } of files) {
      const header = { name: join(folder, path), type, mode, ...(type === 'symlink' && { linkname }) }
      if (type !== 'file') await add(header)
      else await ignoreGone(() => add(header, text ?? readFileSync(source)))
    }
    pack.finalize()
  }
  void addAll().catch(error => pack.destroy(error))
  return pack
}
