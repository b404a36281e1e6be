import fs from 'node:fs'
import path from 'node:path'
import { systemCode } from '../../errors.ts'

/** The type that statfs(2) gives for a cgroup version 2 file system (linux/magic.h). */
const CGROUP2_MAGIC = 0x63677270

/**
 * True for the real path of a folder in a cgroup version 2 hierarchy: only there does `cgroup.procs` mean what we read in
 * it. A link would lead to any other cgroup, of a whole user or of the machine. In the hierarchy itself nobody can make
 * one, so a path that was found real stays so.
 */
export function isCgroup(folder: string): boolean {
  try {
    return fs.realpathSync(folder) === folder && fs.statfsSync(folder).type === CGROUP2_MAGIC
  } catch {
    return false
  }
}

/** The folder of the cgroup that this process is in; undefined where there is none of version 2. */
export function ownCgroup(): string | undefined {
  const mount = /^(?:\S+ ){4}(\S+) .* - cgroup2 /m.exec(readText('/proc/self/mountinfo'))?.[1]
  const own = /^0::(\/.*)$/m.exec(readText('/proc/self/cgroup'))?.[1]
  return mount && own && path.resolve(path.join(mount, own))
}

/** The processes in a cgroup and in those below it, which its members may have made. Empty when it is gone. */
export function membersOf(folder: string): number[] {
  const here = readText(path.join(folder, 'cgroup.procs')).split('\n').filter(Boolean).map(Number)
  return [...here, ...below(folder).flatMap(membersOf)]
}

/** Moves this process out of a cgroup, to where that stands, if it is in it. It stays where it may not. */
export function leaveCgroup(folder: string): void {
  const own = ownCgroup()
  if (own !== folder && !own?.startsWith(`${folder}/`)) return
  try {
    fs.writeFileSync(path.join(path.dirname(folder), 'cgroup.procs'), String(process.pid))
  } catch {
    // Not delegated to us, or the cgroup above may hold no processes. Whoever is in it is the agent's then.
  }
}

/** Removes a cgroup and those below it; what is none is left alone. Throws while a process is in one of them. */
export function removeCgroup(folder: string): void {
  if (!isCgroup(folder)) return
  for (const inner of below(folder)) removeCgroup(inner)
  try {
    fs.rmdirSync(folder)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

function below(folder: string): string[] {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true })
    return entries.filter(entry => entry.isDirectory()).map(({ name }) => path.join(folder, name))
  } catch {
    return []
  }
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
