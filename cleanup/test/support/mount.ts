import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import type { AgentRef } from '../../index.ts'
import { addTask, initRegistries, layout } from '../../orchestrator.ts'
import type { Rig } from './rig.ts'

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

/** Puts the rig's workspace, made anew, on a disk of 1 MiB. Returns a reason to skip the test if this process may not mount. */
export async function workspaceOnSmallDisk({ workspace }: Rig): Promise<Mount | string> {
  const mounted = Mount.over(workspace, '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs')
  if (typeof mounted === 'string') return mounted
  await initRegistries(workspace)
  await addTask(workspace, { task_id: 'TASK-1' })
  return mounted
}

/** A prompt whose removal makes room for the registries, with the suspects that other tests on the machine may add to an entry. */
export const writeLongPrompt = (ref: AgentRef): void =>
  fs.writeFileSync(layout.promptFile(ref), 'x'.repeat(1 << 17))
