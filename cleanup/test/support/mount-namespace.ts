import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { Rig } from './rig.ts'
import { until } from './until.ts'

/** True if this process may mount in a new mount namespace: it is root, or has that right in a user namespace. */
export const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'x', '/mnt']).status === 0

/** A mount namespace with file systems that only chosen processes see. The machine's own mounts do not change. */
export class MountNamespace implements Disposable {
  /** Words to put before a command so that it runs in the namespace. */
  readonly nsenter: string[]
  readonly #pid: number

  private constructor(pid: number) {
    this.#pid = pid
    this.nsenter = ['nsenter', '-t', String(pid), '-m', '--']
  }

  /** `script` holds the mount commands, for sh. */
  static async make(rig: Rig, script: string): Promise<MountNamespace> {
    const ready = path.join(rig.folder, `mounted-${performance.now()}`)
    const lines = `set -e; ${script}; touch ${ready}; exec sleep 1000`
    const holder = spawn('unshare', ['-m', 'sh', '-c', lines], { stdio: ['ignore', 'inherit', 'inherit'] })
    await until('the file systems are mounted', () => fs.existsSync(ready))
    return new MountNamespace(holder.pid ?? 0)
  }

  /** The path by which a process outside the namespace opens a file in it. */
  outsidePath(file: string): string {
    return `/proc/${this.#pid}/root${file}`
  }

  [Symbol.dispose](): void {
    process.kill(this.#pid, 'SIGKILL')
  }
}
