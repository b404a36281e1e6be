import { spawnSync } from 'node:child_process'

/** A file system that lies over a folder until it is disposed of. */
export class Mounted implements Disposable {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Returns the reason instead where mounting is not allowed. */
  static over(folder: string, ...args: string[]): Mounted | string {
    const { status } = spawnSync('mount', [...args, folder])
    return status === 0 ? new Mounted(folder) : 'no right to mount'
  }

  remount(options: string): void {
    const { status, stderr } = spawnSync('mount', ['-o', `remount,${options}`, this.#folder], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
  }

  [Symbol.dispose](): void {
    // Lazily, because what still runs there is ended after this.
    spawnSync('umount', ['--lazy', this.#folder])
  }
}
