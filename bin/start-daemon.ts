import { statSync } from 'node:fs'
import { join } from 'node:path'
import { LEAN_FLAGS, LEAN_MALLOC } from '../cleanup/daemon/lean.ts'
import { ensureBundles } from './bundle.ts'
import { isPackage, programFile, rigSet } from './programs.ts'

const project = join(import.meta.dirname, '..')

/**
 * Replaces this process by the daemon, with the flags and variables that keep it small (cleanup/daemon/lean.ts), and from
 * its bundle: Node's compiler for TypeScript stays in memory, 30 MB. The pid and the standard streams stay the same. Only
 * an exec sets these: glibc reads its variables when a process starts.
 */
export async function startDaemon(args: string[]): Promise<void> {
  await prepareDaemon()
  const program = isOurs() ? programFile('daemon') : join(project, 'cleanup/bin/daemon.ts')
  const flags = process.execArgv.filter(flag => !LEAN_FLAGS.includes(flag))
  const command = [process.execPath, ...flags, ...LEAN_FLAGS, program, ...args]
  process.execve?.(process.execPath, command, { ...process.env, ...LEAN_MALLOC })
}

/** Makes the daemon's bundle where it is missing. Without one the daemon runs from the sources. */
export async function prepareDaemon(): Promise<void> {
  if (isOurs()) await ensureBundles(rigSet).catch(() => {})
}

/** False for root in another user's project: root must neither write bundles there nor run code that was compiled there. */
const isOurs = (): boolean => isPackage || process.geteuid?.() !== 0 || statSync(project).uid === 0
