import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { Rig } from './rig.ts'
import { until } from './until.ts'

/** True where we may have mounts of our own (root, or a user namespace with that right). */
export const mayMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'x', '/mnt']).status === 0

/** File systems that only some processes of a test see: the machine's own mounts stay as they are. */
export class OtherMounts implements Disposable {
  /** Words in front of a command that is to see them. */
  readonly before: string[]
  readonly #pid: number

  private constructor(pid: number) {
    this.#pid = pid
    this.before = ['nsenter', '-t', String(pid), '-m', '--']
  }

  /** `script` is what sh mounts, in a mount namespace of its own. */
  static async make(rig: Rig, script: string): Promise<OtherMounts> {
    const ready = path.join(rig.folder, `mounted-${performance.now()}`)
    const lines = `set -e; ${script}; touch ${ready}; exec sleep 1000`
    const holder = spawn('unshare', ['-m', 'sh', '-c', lines], { stdio: ['ignore', 'inherit', 'inherit'] })
    await until('the mounts are there', () => fs.existsSync(ready))
    return new OtherMounts(holder.pid ?? 0)
  }

  /** The path by which the test itself sees a file there. */
  seen(file: string): string {
    return `/proc/${this.#pid}/root${file}`
  }

  [Symbol.dispose](): void {
    process.kill(this.#pid, 'SIGKILL')
  }
}
