import fs from 'node:fs'
import os from 'node:os'
import { backend } from './backend.ts'
import { readWholeEnvironment } from './environment.ts'
import { readProc } from './proc-file.ts'
import { type Process, USER_HZ } from './stat.ts'

/*
 * What only people want to know of a process: read for a few of them, never in the pass over all. Where there is no
 * /proc, most of it is unknown.
 */

/** How long ago a process started, in ms, to the resolution of its identity. */
export function ageMs({ start }: Process): number {
  return backend === 'proc' ? (os.uptime() - start / USER_HZ) * 1000 : Date.now() - start * 1000
}

/** The command line, its words joined by spaces, as the process shows it now; the name where it shows none. */
export function commandOf({ pid, comm }: Process): string {
  const bytes = readProc(`/proc/${pid}/cmdline`)
  const text = typeof bytes === 'string' ? '' : bytes.toString('utf8').replaceAll('\0', ' ').trim()
  return text || comm
}

/** The folder it works in; undefined when that may not be known. */
export function folderOf(pid: number): string | undefined {
  if (backend !== 'proc') return undefined
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** What a shell puts by itself into the environment of what it starts. */
const BY_A_SHELL: ReadonlySet<string> = new Set(['PWD', 'OLDPWD', 'SHLVL', '_'])

/** True when it, or the shell that started it, was started with no environment at all, as `env -i` does. */
export function hasEmptyEnvironment(pid: number): boolean {
  const environment = readWholeEnvironment(pid)
  return environment !== undefined && [...environment.keys()].every(name => BY_A_SHELL.has(name))
}
