import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, systemCode } from '../../errors.ts'
import { requireOwner } from './trust.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants

/** Where the kernel shows our own descriptors. A path through it means the folder that is open, wherever its name leads by now. */
const DESCRIPTORS = '/proc/self/fd'
const hasDescriptors = fs.existsSync(DESCRIPTORS)

/**
 * A folder that is held open, so that what is done in it is done in that very folder: nobody can put a link to
 * somewhere else in its place between the look and the deed. Node has no openat(2) and no unlinkat(2); the kernel's
 * name for our descriptor does the same. Where there is no /proc (macOS, the BSDs) the folders are checked one by one
 * before each use instead, and whoever is faster than that can still exchange one.
 */
export class Folder implements Disposable {
  /** Its path, for people. */
  readonly path: string
  readonly #fd: number
  #device: string | undefined

  private constructor(at: string, shown: string, flags: number) {
    this.#fd = fs.openSync(at, flags)
    this.path = shown
  }

  /** The file system's number: where its files' bytes lie. */
  get device(): string {
    this.#device ??= String(fs.fstatSync(this.#fd, { bigint: true }).dev)
    return this.#device
  }

  /** Who owns it. */
  get uid(): number {
    return fs.fstatSync(this.#fd).uid
  }

  /** The folder of a path, wherever links on the way lead: that way is the caller's own. */
  static at(folder: string): Folder {
    return new Folder(folder, folder, O_RDONLY | O_DIRECTORY)
  }

  /** The same for a workspace. Throws a CleanupError (`not-the-owner`) when we are root and it is not root's. */
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

  /** A folder in this one; undefined when there is none. Throws a CleanupError (`outside-workspace`) for a link. */
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
        `${shown} is refused: expected a folder, found ${this.#what(name)}. Nothing in it was read, moved or deleted; put a folder in its place.`,
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

  /** How a name in this folder is reached. */
  at(name: string): string {
    if (name !== path.basename(name) || name === '..') throw new Error(`not a name: ${JSON.stringify(name)}`)
    return `${this.#self()}/${name}`
  }

  /** What a file system call said, with this folder's path in place of the descriptor's. */
  named(error: unknown): unknown {
    if (hasDescriptors && error instanceof Error)
      error.message = error.message.replaceAll(new RegExp(`${this.#self()}(?=[/'])`, 'g'), () => this.path)
    return error
  }

  /** Makes sure that new names in it survive a loss of power. */
  syncNow(): void {
    fs.fsyncSync(this.#fd)
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd)
  }

  #self(): string {
    return hasDescriptors ? `${DESCRIPTORS}/${this.#fd}` : this.path
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
  if (stat.isSocket()) return 'a socket'
  return stat.isFIFO() ? 'a FIFO' : 'a device'
}
