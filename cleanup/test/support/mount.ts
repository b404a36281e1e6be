import { spawnSync } from 'node:child_process'

/** Mounts a file system over a folder; the mount ends when the object is disposed of. */
export class Mount implements Disposable {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** `args` are the options of `mount`. Returns a reason to skip the test if this process may not mount. */
  static over(folder: string, ...args: string[]): Mount | string {
    const { status } = spawnSync('mount', [...args, folder])
    return status === 0 ? new Mount(folder) : 'no permission to mount'
  }

  remount(options: string): void {
    const { status, stderr } = spawnSync('mount', ['-o', `remount,${options}`, this.#folder], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
  }

  [Symbol.dispose](): void {
    // Processes may still use the folder: they end later. A plain umount would fail with EBUSY.
    spawnSync('umount', ['--lazy', this.#folder])
  }
}
