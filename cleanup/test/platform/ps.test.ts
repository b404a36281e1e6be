import fs from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { claimsFor, cleanUp } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { backend } from '../../platform/processes/backend.ts'
import { parsePs } from '../../platform/processes/ps.ts'
import { readTable, startOf } from '../../platform/processes/table.ts'
import { Daemon } from '../support/daemon.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

// Before anything is imported: where processes are read from is decided once.
vi.hoisted(() => {
  process.env.LEAKRIG_PROCESS_TABLE = 'ps'
})

const idle = 'echo ready; sleep 1000 & wait'
const completed = { status: 'completed', reason: 'it said so' }

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

test('the table is that of ps, with starts in seconds', async () => {
  expect(backend).toBe('ps')
  const table = await readTable()
  expect(table.get(process.pid)).toMatchObject({ ppid: process.ppid, kernel: false, environment: {} })
  const age = Date.now() / 1000 - (startOf(process.pid) ?? 0)
  expect(age).toBeGreaterThan(-2)
  expect(age).toBeLessThan(600)
})

test('a machine without /proc and without ps says what is missing', async () => {
  // All questions of one turn of the event loop share an answer.
  await setImmediate()
  vi.stubEnv('PATH', rig.folder)
  try {
    await expect(readTable()).rejects.toThrow(
      /^The process table .*: there is no \/proc, and no ps on the PATH\. /,
    )
  } finally {
    vi.unstubAllEnvs()
  }
})

test('a whole cleanup: claimed by pane, descent, terminal and session, and nobody else', async () => {
  const claude = `exec -a claude bash -c 'trap "" HUP; sleep 1000 & setsid sleep 1000 & ${idle}'`
  const ref = await rig.deploy('a', { claude: `(${claude})` })
  const neighbour = await rig.deploy('ab', { claude: idle })
  const named = rig.start('bash', ['-c', 'sleep 1000; : agent_a', 'claude', 'agent_a'])
  const { claimed } = await claimsFor(ref)
  const kinds = new Set(claimed.flatMap(({ evidence }) => evidence.map(({ kind }) => kind)))
  expect([...kinds].sort()).toEqual(['descent', 'pane', 'session', 'terminal'])
  expect(await cleanUp(ref, { ...completed, graceMs: 1_000 })).toMatchObject({
    outcome: 'clean',
    problems: [],
  })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(fs.readFileSync(layout.archived(ref, layout.streamLog(ref)), 'utf8')).toBe('ready\n')
  expect(isRunning(named)).toBe(true)
  expect(rig.processesOf(neighbour)).toHaveLength(4)
})

test('every line that was written is in the log: the reader ends by itself', async () => {
  const claude = `trap 'for n in {1..20000}; do echo "$n"; done; exit' TERM; ${idle}`
  const ref = await rig.deploy('a', { claude })
  expect(await cleanUp(ref, { ...completed, graceMs: 30_000 })).toMatchObject({ outcome: 'clean' })
  const lines = fs
    .readFileSync(layout.archived(ref, layout.streamLog(ref)), 'utf8')
    .trimEnd()
    .split('\n')
  expect(lines).toHaveLength(20_001)
})

test('the daemon notices an end', async () => {
  const daemon = await Daemon.start(rig)
  const ref = await rig.deploy('a', { claude: idle })
  kill(rig.entry(ref).tmux?.pane_pid ?? 0)
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  await daemon.stop()
})

test('lines of a BSD: an address for the session, ?? for no terminal, a leader marked "s"', () => {
  const at = 'Tue Nov 24 16:59:44 2026'
  const text = [
    `  1   0   1 0        ??      Ss    4096 ${at} launchd`,
    ` 70   1  70 8f3a00   ttys003 Ss+   4096 ${at} -bash`,
    ` 71  70  71 8f3a00   ttys003 T        0 ${at} a) b (c`,
    ` 72  70  71 8f3a00   ttys003 Z        0 ${at} `,
    ` 73   0   0 -        ??      DL       0 ${at} [pagezero]`,
    'this is no line',
  ].join('\n')
  const table = parsePs(text)
  expect([...table.keys()]).toEqual([1, 70, 71, 72, 73])
  expect(table.get(70)).toMatchObject({ sid: 70, state: 'S', comm: '-bash', start: 1795539584 })
  expect(table.get(71)).toMatchObject({ sid: 70, pgid: 71, state: 'T', comm: 'a) b (c' })
  expect(table.get(72)).toMatchObject({ sid: 70, state: 'Z', comm: '', kernel: false })
  expect(table.get(73)).toMatchObject({ sid: 0, tty: 0, kernel: true })
  expect(table.get(71)?.tty).toBe(table.get(70)?.tty)
  expect(table.get(71)?.tty).not.toBe(0)
})

test('a name that imitates another process’s line', () => {
  const at = 'Tue Nov 24 16:59:44 2026'
  const line = (pid: number, name: string) => `${pid} 1 1 1 ? S 10 ${at} ${name}`
  expect(() => parsePs(`${line(7, 'x')}\n${line(8, `evil\n${line(7, 'x')}`)}`)).toThrow(
    /shows process 7 twice/,
  )
})
