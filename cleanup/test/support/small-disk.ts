import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { dir } from 'tmp-promise'
import { systemCode } from '../../errors.ts'

/**
 * A small tmpfs in its own mount namespace: the kernel removes the mount with its last process, however the test ends.
 * Processes outside the namespace reach it through /proc.
 */
export class SmallDisk implements AsyncDisposable {
  /** The folder's path for the test. */
  readonly outside: string
  /** The folder's path for commands in the namespace. */
  readonly inside: string
  /** Words to put before a command so that it runs in the namespace. */
  readonly nsenter: string[]
  readonly #holder: ChildProcess
  readonly #remove: () => Promise<void>

  private constructor(inside: string, holder: ChildProcess, remove: () => Promise<void>) {
    this.inside = inside
    this.outside = `/proc/${holder.pid}/root${inside}`
    this.nsenter = ['nsenter', '--target', String(holder.pid), '--mount', '--']
    this.#holder = holder
    this.#remove = remove
  }

  /** `options` are those of tmpfs. Returns a reason to skip the test if this process may not mount. */
  static async mount(options: string): Promise<SmallDisk | string> {
    const { path: folder, cleanup } = await dir({ prefix: 'lr-', unsafeCleanup: true })
    const inside = fs.realpathSync(folder)
    const script = 'mount -t tmpfs -o "$1" leakrig "$0" && echo mounted && exec sleep 1000'
    const holder = spawn('unshare', ['--mount', 'sh', '-c', script, inside, options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [holder.stdout, holder.stderr])
      stream.on('data', (text: Buffer) => {
        output += text
      })
    const exit = once(holder, 'close')
    await Promise.race([once(holder.stdout, 'data'), exit])
    if (output.startsWith('mounted')) return new SmallDisk(inside, holder, cleanup)
    await exit
    await cleanup()
    return 'no permission to mount'
  }

  freeBytes(): number {
    const { bavail, frsize } = fs.statfsSync(this.outside)
    return bavail * frsize
  }

  /** Uses up all blocks, then all inodes. */
  fill(): void {
    const folder = path.join(this.outside, 'filler')
    fs.mkdirSync(folder)
    untilFull(() => fs.appendFileSync(path.join(folder, 'bytes'), Buffer.alloc(4096)))
    untilFull(n => fs.writeFileSync(path.join(folder, `${n}`), ''))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill('SIGKILL')
    await once(this.#holder, 'close')
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
