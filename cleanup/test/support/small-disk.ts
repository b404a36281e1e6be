import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { dir } from 'tmp-promise'
import { systemCode } from '../../errors.ts'

/**
 * A file system of a few MB in a mount namespace of its own, so that the mount is gone with the test, however it
 * ends. It is reached through /proc by who is outside.
 */
export class SmallDisk implements AsyncDisposable {
  /** The folder as the test names it. */
  readonly outside: string
  /** The folder as a command that runs within names it. */
  readonly inside: string
  /** The command line that runs another one within. */
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

  /** Returns the reason instead where mounting is not allowed. */
  static async mount(options: string): Promise<SmallDisk | string> {
    const { path: folder, cleanup } = await dir({ prefix: 'lr-', unsafeCleanup: true })
    const inside = fs.realpathSync(folder)
    const script = 'mount -t tmpfs -o "$1" leakrig "$0" && echo mounted && exec sleep 1000'
    const keeper = spawn('unshare', ['--mount', 'sh', '-c', script, inside, options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [keeper.stdout, keeper.stderr])
      stream.on('data', (text: Buffer) => {
        said += text
      })
    const exit = once(keeper, 'close')
    await Promise.race([once(keeper.stdout, 'data'), exit])
    if (said.startsWith('mounted')) return new SmallDisk(inside, keeper, cleanup)
    await exit
    await cleanup()
    return 'no right to mount'
  }

  freeBytes(): number {
    const { bavail, frsize } = fs.statfsSync(this.outside)
    return bavail * frsize
  }

  /** Makes files until there is neither a name nor a byte left. */
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
