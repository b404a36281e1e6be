import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dirSync } from 'tmp-promise'
import { expect, onTestFinished, test } from 'vitest'
import { childrenOf } from '../support/proc.ts'
import { until } from '../support/until.ts'

// Runs the two scripts of idle/ alone, with a plan that makes the critical moments long enough to hit them.
const idle = join(import.meta.dirname, '../../idle')

test('a signal in the turn that collects the nudge is not lost', async () => {
  const { folder, plan } = planned({
    // So many that each check of them takes tenths of a second. The last one lives.
    BACKGROUND: `${'99999999 '.repeat(10_000)}${process.pid}`,
    FIFO: 'fifo',
    HANDLED: 'TERM',
    TERM_CODE: '143',
    TERM_ABRUPT: 'yes',
  })
  // The nudge lives for a third of a second, and there is only one, so it leaves a trace.
  const programs = join(folder, 'bin')
  mkdirSync(programs)
  const sleep = `#!/bin/sh\necho $$ >${folder}/nudge\nPATH=$OLD_PATH exec sleep "$@"\n`
  writeFileSync(join(programs, 'sleep'), sleep, { mode: 0o755 })
  const { PATH = '' } = process.env
  const shell = started('sh', [join(idle, 'idle.sh'), plan], folder, {
    PATH: `${programs}:${PATH}`,
    OLD_PATH: PATH,
  })
  const pid = shell.pid as number
  const nudge = await until('the nudge was there', () => Number(textOf(join(folder, 'nudge'))) || undefined)
  // The shell collects it at once, and then checks everything once more.
  await until('the nudge has ended', () => !childrenOf(pid).some(one => one.pid === nudge))
  shell.kill('SIGTERM')
  await until('it ends as the plan says', () => shell.exitCode === 143)
})

test.for([
  ['a plan that claude has not taken yet is carried out', 'there'],
  ['a plan that claude has taken is left to it', 'taken'],
])('the guard of a claude that is dead: %s', async ([, state]) => {
  const claude = started('sleep', ['1000'], '/')
  const { folder, plan } = planned({ CLAUDE: String(claude.pid), REMOVE: 'passing' })
  writeFileSync(join(folder, 'passing'), '')
  const guard = started('sh', [join(idle, 'guard.sh'), plan], folder)
  await once(guard.stdout as NodeJS.ReadableStream, 'data')
  if (state === 'taken') rmSync(plan)
  // As a killer of claude and all its children does.
  guard.kill('SIGTERM')
  claude.kill('SIGKILL')
  await once(claude, 'exit')
  guard.stdin?.end()
  await until('the guard has left', () => guard.exitCode === 0)
  expect(existsSync(join(folder, 'passing'))).toBe(state === 'taken')
  const journal = textOf(join(folder, 'journal'))
  expect(journal.includes('"ended"')).toBe(state === 'there')
})

/** A plan as plan.ts writes it, with empty values by default. */
function planned(variables: Record<string, string>): { folder: string; plan: string } {
  const folder = dirSync({ prefix: 'fake-claude', unsafeCleanup: true }).name
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const plan = join(folder, 'plan')
  const all = { PLAN: plan, JOURNAL: 'journal', ...variables }
  writeFileSync(
    plan,
    Object.entries(all)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(''),
  )
  return { folder, plan }
}

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')

function started(file: string, args: string[], cwd: string, env = {}): ChildProcess {
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'ignore'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}
