import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, systemCode } from '../../errors.ts'
import { requireOwner } from './trust.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants

/** Our own descriptors. A path through one leads to the folder that is open, even if its name leads elsewhere by now. */
const DESCRIPTORS = '/proc/self/fd'
const hasDescriptors = fs.existsSync(DESCRIPTORS)

/**
 * A folder that is held open, so that nobody can replace it by a link between a check and an operation in it. Node lacks
 * openat(2) and unlinkat(2); paths through our own descriptor in /proc have the same effect. Without /proc (macOS, the
 * BSDs), each folder is checked before each use instead, which leaves a race.
 */
export class Folder implements Disposable {
  /** The path, for messages. */
  readonly path: string
  readonly #fd: number
  #device: string | undefined

  private constructor(at: string, shown: string, flags: number) {
    this.#fd = fs.openSync(at, flags)
    this.path = shown
  }

  /** The device number of its file system. */
  get device(): string {
    this.#device ??= String(fs.fstatSync(this.#fd, { bigint: true }).dev)
    return this.#device
  }

  get uid(): number {
    return fs.fstatSync(this.#fd).uid
  }

  /** Opens a folder and follows links on the way: the caller trusts the path. */
  static at(folder: string): Folder {
    return new Folder(folder, folder, O_RDONLY | O_DIRECTORY)
  }

  /** `at` for a workspace. Throws a CleanupError (`not-the-owner`) when we are root and it belongs to another user. */
  static root(folder: string): Folder {
    const root = Folder.at(folder)
    try {
      requireOwner(folder, root.uid)
      return root
    } catch (error) {
      root[Symbol.dispose]()
      throw error
    }
  }

  /** Opens a folder in this one; undefined when it does not exist. Throws a CleanupError (`outside-workspace`) for a link. */
  open(name: string): Folder | undefined {
    const shown = path.join(this.path, name)
    try {
      if (!hasDescriptors && fs.lstatSync(shown).isSymbolicLink())
        throw Object.assign(new Error(), { code: 'ELOOP' })
      return new Folder(this.at(name), shown, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT') return undefined
      if (code !== 'ENOTDIR' && code !== 'ELOOP') throw this.named(error)
      throw new CleanupError(
        'outside-workspace',
        `${shown} is refused: expected a folder, found ${this.#kindOf(name)}. Nothing in it was read, moved or deleted; put a folder in its place.`,
      )
    }
  }

  names(): string[] {
    try {
      return fs.readdirSync(this.#self())
    } catch (error) {
      throw this.named(error)
    }
  }

  /** The path through which to access a name in this folder. */
  at(name: string): string {
    if (name !== path.basename(name) || name === '..') throw new Error(`not a name: ${JSON.stringify(name)}`)
    return `${this.#self()}/${name}`
  }

  /** Replaces the descriptor's path by the folder's in the message of a system error, and returns the error. */
  named(error: unknown): unknown {
    if (hasDescriptors && error instanceof Error)
      error.message = error.message.replaceAll(new RegExp(`${this.#self()}(?=[/'])`, 'g'), () => this.path)
    return error
  }

  /** Syncs the folder to disk, so that new names in it survive a power failure. */
  syncNow(): void {
    fs.fsyncSync(this.#fd)
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd)
  }

  #self(): string {
    return hasDescriptors ? `${DESCRIPTORS}/${this.#fd}` : this.path
  }

  #kindOf(name: string): string {
    const stat = fs.lstatSync(this.at(name), { throwIfNoEntry: false })
    return stat ? kindOf(stat) : 'nothing'
  }
}

/** The kind of a directory entry, for messages. */
export function kindOf(stat: fs.Stats | fs.BigIntStats): string {
  if (stat.isFile()) return 'a file'
  if (stat.isDirectory()) return 'a folder'
  if (stat.isSymbolicLink()) return 'a symbolic link'
  if (stat.isSocket()) return 'a socket'
  return stat.isFIFO() ? 'a FIFO' : 'a device'
}
