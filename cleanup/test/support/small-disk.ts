import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { dir } from 'tmp-promise'
import { systemCode } from '../../errors.ts'

/**
 * A file system of a few MiB in a mount namespace of its own, which the kernel unmounts however the test ends. From
 * outside the namespace it is reached through /proc.
 */
export class SmallDisk implements AsyncDisposable {
  /** The folder's path for the test. */
  readonly outside: string
  /** The folder's path for a command in the namespace. */
  readonly inside: string
  /** The words before a command that run it in the namespace. */
  readonly within: string[]
  readonly #keeper: ChildProcess
  readonly #remove: () => Promise<void>

  private constructor(inside: string, keeper: ChildProcess, remove: () => Promise<void>) {
    this.inside = inside
    this.outside = `/proc/${keeper.pid}/root${inside}`
    this.within = ['nsenter', '--target', String(keeper.pid), '--mount', '--']
    this.#keeper = keeper
    this.#remove = remove
  }

  /** Returns the reason, a string, where mounting is not allowed. */
  static async mount(options: string): Promise<SmallDisk | string> {
    const { path: folder, cleanup } = await dir({ prefix: 'lr-', unsafeCleanup: true })
    const inside = fs.realpathSync(folder)
    const script = 'mount -t tmpfs -o "$1" leakrig "$0" && echo mounted && exec sleep 1000'
    const keeper = spawn('unshare', ['--mount', 'sh', '-c', script, inside, options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [keeper.stdout, keeper.stderr])
      stream.on('data', (text: Buffer) => {
        output += text
      })
    const exit = once(keeper, 'close')
    await Promise.race([once(keeper.stdout, 'data'), exit])
    if (output.startsWith('mounted')) return new SmallDisk(inside, keeper, cleanup)
    await exit
    await cleanup()
    return 'no right to mount'
  }

  freeBytes(): number {
    const { bavail, frsize } = fs.statfsSync(this.outside)
    return bavail * frsize
  }

  /** Uses up all inodes and bytes. */
  fill(): void {
    const folder = path.join(this.outside, 'filler')
    fs.mkdirSync(folder)
    untilFull(() => fs.appendFileSync(path.join(folder, 'bytes'), Buffer.alloc(4096)))
    untilFull(n => fs.writeFileSync(path.join(folder, `${n}`), ''))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#keeper.kill('SIGKILL')
    await once(this.#keeper, 'close')
    await this.#remove()
  }
}

function untilFull(step: (n: number) => void): void {
  for (let n = 0; ; n++) {
    try {
      step(n)
    } catch (error) {
      if (systemCode(error) === 'ENOSPC') return
      throw error
    }
  }
}
