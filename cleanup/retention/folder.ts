import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { CleanupError, systemCode } from '../errors.ts'

/**
 * A folder that is held open, so that what is done in it is done in that very folder: nobody can put a link to
 * somewhere else in its place between the look and the deed. Node has no unlinkat(2); the kernel's name for our
 * descriptor does the same.
 */
export class Folder implements Disposable {
  /** Its path, for people. */
  readonly path: string
  /** The file system's number: where its files' bytes lie. */
  readonly device: string
  readonly #fd: number

  constructor(at: string, shown: string) {
    const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants
    this.#fd = fs.openSync(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    this.path = shown
    this.device = String(fs.fstatSync(this.#fd, { bigint: true }).dev)
  }

  /** A folder in this one; undefined when there is none. Throws a CleanupError (`outside-workspace`) for a link. */
  open(name: string): Folder | undefined {
    const shown = path.join(this.path, name)
    try {
      return new Folder(this.at(name), shown)
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT') return undefined
      if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error
      throw new CleanupError(
        'outside-workspace',
        `${shown} is refused: expected a folder, found ${this.#what(name)}. Nothing in it was deleted; put a folder in its place.`,
      )
    }
  }

  names(): string[] {
    return fs.readdirSync(this.#self())
  }

  /** How a name in this folder is reached. */
  at(name: string): string {
    if (name !== path.basename(name) || name === '..') throw new Error(`not a name: ${JSON.stringify(name)}`)
    return `${this.#self()}/${name}`
  }

  /** Makes sure that new names in it survive a loss of power. */
  sync(): Promise<void> {
    return promisify(fs.fsync)(this.#fd)
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd)
  }

  #self(): string {
    return `/proc/self/fd/${this.#fd}`
  }

  #what(name: string): string {
    const stat = fs.lstatSync(this.at(name), { throwIfNoEntry: false })
    return stat ? kindOf(stat) : 'nothing'
  }
}

/** What a directory entry is, in words. */
export function kindOf(stat: fs.Stats | fs.BigIntStats): string {
  if (stat.isFile()) return 'a file'
  if (stat.isDirectory()) return 'a folder'
  if (stat.isSymbolicLink()) return 'a symbolic link'
  return stat.isFIFO() ? 'a FIFO' : 'a special file'
}
