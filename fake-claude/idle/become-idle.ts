import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ownFile } from '../own-file.ts'
import type { Claude } from '../process/claude.ts'
import { stopListening } from '../process/ending/signals.ts'
import { holdPipes } from './hold-pipes.ts'
import { planFor } from './plan.ts'
import { shellOf } from './shell.ts'

/**
 * Replaces Node by a shell of less than 2 MB that waits, and that can end as this claude would (idle.sh). The pid, parent,
 * group, session, terminal, children and stdio stay the same. Never returns.
 */
export async function becomeIdle(claude: Claude): Promise<never> {
  if (claude.hooks.areThere) {
    // The shell runs no hooks.
    claude.note('idle')
    return new Promise(() => setInterval(() => {}, 86_400_000))
  }
  // The tools that run now. If one ends before the shell checks, it counts as one that ended while claude was idle.
  const tools = [...claude.bash.running]
  // Output that a stalled reader has not taken yet would be lost with this process's memory.
  while (!(await claude.output.drain(1000)));

  const stdin = readlinkSync('/proc/self/fd/0')
  mkdirSync(claude.places.temporary, { recursive: true })
  const plan = join(claude.places.temporary, `plan-${process.pid}.sh`)
  writeFileSync(plan, planFor(claude, tools, plan, stdin))
  const guard = await startGuard(plan)
  const pipes = claude.servers.children.flatMap(child => [child.stdin, child.stdout, child.stderr])
  if (pipes.length > 0) await holdPipes(pipes)

  const shell = shellOf(claude.settings.journal)
  const script = [ownFile('idle/idle.sh'), plan]
  const visible = claude.profile.retitles ? [] : process.argv.slice(2)
  // The first removal of a listener compiles code for 40 µs, in which a signal would be lost. So it is done here, with a
  // signal that ends nothing.
  process.removeAllListeners('SIGTTIN')
  // Node delivers the signals that it has caught between these two turns. After them the kernel's default holds until the
  // traps of idle.sh. Node cannot block signals, so the guard covers those milliseconds.
  await nextTurn()
  await nextTurn()
  if (claude.ending) {
    // A signal came, and claude is ending already, as Node.
    guard.stdin?.write('not needed\n')
    rmSync(plan)
    return new Promise(() => {})
  }
  stopListening(claude.profile)
  process.execve?.(shell, ['claude', ...script, ...visible], process.env)
  throw new Error('fake-claude: process.execve returned; it needs Node 22.15 or later on Linux.')
}

async function startGuard(plan: string): Promise<ChildProcess> {
  const guard = spawn('/bin/sh', [ownFile('idle/guard.sh'), plan], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  await once(guard.stdout, 'data')
  return guard
}
