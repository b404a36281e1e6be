import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ownFile } from '../own-file.ts'
import type { Claude } from '../process/claude.ts'
import { stopListening } from '../process/ending/signals.ts'
import { holdPipes } from './hold-pipes.ts'
import { planFor } from './plan.ts'

/**
 * Replaces Node by a shell of under 2 MB that waits, and knows how this claude ends (idle.sh). The pid, its parent,
 * group, session, terminal, children and stdio stay what they are. Never returns.
 */
export async function becomeIdle(claude: Claude): Promise<never> {
  // Those that run now: one that ends before the shell looks is told as one that ended while claude only waited.
  const tools = [...claude.bash.running]
  // What a stalled reader has not taken yet would be lost with this process's memory.
  while (!(await claude.output.drain(1000)));

  const stdin = readlinkSync('/proc/self/fd/0')
  mkdirSync(claude.places.temporary, { recursive: true })
  const plan = join(claude.places.temporary, `plan-${process.pid}.sh`)
  writeFileSync(plan, planFor(claude, tools, plan, stdin))
  const guard = await startGuard(plan)
  const pipes = claude.servers.children.flatMap(child => [child.stdin, child.stdout, child.stderr])
  if (pipes.length > 0) await holdPipes(pipes)

  const shell = existsSync('/bin/dash') ? 'claude' : 'claude-sh'
  const script = [ownFile('idle/idle.sh'), plan]
  const visible = claude.profile.retitles ? [] : process.argv.slice(2)
  // The first removal of a listener compiles code: 40 µs in which a signal would be lost, if it was one of claude's.
  process.removeAllListeners('SIGTTIN')
  // Signals that Node has caught are handed out between the first turn and the second. From then on the kernel's
  // default holds, until the traps in idle.sh: Node cannot block signals, so for those milliseconds there is the guard.
  await nextTurn()
  await nextTurn()
  if (claude.ending) {
    // One of them came: claude is ending already, as Node.
    guard.stdin?.write('not needed\n')
    rmSync(plan)
    return new Promise(() => {})
  }
  stopListening(claude.profile)
  process.execve?.(ownFile(`idle/${shell}`), ['claude', ...script, ...visible], process.env)
  throw new Error('fake-claude: process.execve returned; it needs Node 24 or later on Linux.')
}

async function startGuard(plan: string): Promise<ChildProcess> {
  const guard = spawn('/bin/sh', [ownFile('idle/guard.sh'), plan], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  await once(guard.stdout, 'data')
  return guard
}
