#!/usr/bin/env node
/**
 * Measures `status`, `sweep --apply` and a daemon on ten thousand agents that the registries list as running and of which
 * nothing runs; three hundred have a prompt and a log. The sweep and the daemon are stopped midway and started again.
 * Exits 1 if a limit is exceeded.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { addTask, initRegistries, layout, readTaskRegistry } from '../orchestrator.ts'
import { changeGlobal, changeTask } from '../registry/registry.ts'
import { until } from '../test/support/until.ts'
import { MeasuredDaemon } from './daemon-process.ts'

const PROGRAM = path.join(import.meta.dirname, '../../bin/leakrig.ts')
const [TASKS, PER_TASK, WITH_FILES] = [100, 100, 300]
const AGENTS = TASKS * PER_TASK
const LIMITS = { statusMs: 2_000, stopMs: 1_000 }
const CLEAN_WITHIN_MS = 600_000

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakrig-gone-'))
const workspace = path.join(folder, '.agent-workspace')
// No tmux server runs here, so the user's own sessions are not scanned.
Object.assign(process.env, { TMUX_TMPDIR: folder, LEAKRIG_SOCKET_FOLDER: folder })
const problems: string[] = []
try {
  await registerDeadAgents()
  const status = await run('status')
  console.log(`status: ${seconds(status.cpuMs)} of CPU time, ${seconds(status.ms)}`)
  limit('CPU time of status', status.cpuMs, LIMITS.statusMs)

  const stopped = await run('sweep', { stopAfter: /cleaned up/ })
  console.log(`sweep --apply: Ctrl-C ended it after ${stopped.stopMs} ms; ${stopped.lastLine}`)
  limit('time until the sweep stopped', stopped.stopMs, LIMITS.stopMs)
  const swept = await run('sweep')
  console.log(
    `sweep --apply, the rest: ${seconds(swept.cpuMs)} of CPU time, ${seconds(swept.ms)}; ${swept.lastLine}`,
  )

  fs.rmSync(workspace, { recursive: true })
  await registerDeadAgents()
  await measureDaemon()
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
for (const problem of problems) console.log(`LIMIT EXCEEDED: ${problem}`)
process.exitCode = problems.length > 0 ? 1 : 0

async function measureDaemon(): Promise<void> {
  {
    await using daemon = await MeasuredDaemon.start(workspace, folder)
    await until(
      'a tenth of the agents is clean',
      () => count(daemon, 'cleaned') > AGENTS / 10,
      CLEAN_WITHIN_MS,
    )
    const signalledAt = performance.now()
    await daemon[Symbol.asyncDispose]()
    const stopMs = Math.round(performance.now() - signalledAt)
    console.log(`daemon, ${count(daemon, 'cleaned')} of ${AGENTS} clean: SIGTERM ended it after ${stopMs} ms`)
    limit('time until the daemon stopped', stopMs, LIMITS.stopMs)
  }
  const startedAt = performance.now()
  await using daemon = await MeasuredDaemon.start(workspace, folder)
  let peakMb = 0
  const areClean = async () => {
    peakMb = Math.max(peakMb, daemon.usage().rssMb)
    await pause(200)
    return tasks().every(taskId =>
      readTaskRegistry(workspace, taskId).agents.every(({ cleanup }) => cleanup?.state === 'done'),
    )
  }
  await until('all agents are clean', areClean, CLEAN_WITHIN_MS)
  const { ownMs } = daemon.usage()
  const deaths = daemon.lines().filter(({ event }) => event === 'mass-death')
  console.log(
    `daemon, the rest: ${seconds(performance.now() - startedAt)}, ${seconds(ownMs)} of CPU time, ${peakMb.toFixed(0)} MB peak; ` +
      `mass deaths: ${deaths.map(({ gone, of }) => `${gone} of ${of}`).join(', ') || 'none'}`,
  )
  if (deaths.length === 0) problems.push('the daemon logged no mass death')
}

function tasks(): string[] {
  return Array.from({ length: TASKS }, (_, n) => `TASK-${n}`)
}

function count(daemon: MeasuredDaemon, event: string): number {
  return daemon.lines().filter(line => line.event === event).length
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function limit(name: string, ms: number, limitMs: number): void {
  if (ms > limitMs) problems.push(`${name}: ${Math.round(ms)} ms, limit ${limitMs} ms`)
}

async function registerDeadAgents(): Promise<void> {
  await initRegistries(workspace)
  const started_at = new Date(Date.now() - 3_600_000).toISOString()
  const all: Record<string, { task_id: string; status: string; started_at: string }> = {}
  for (const [t, taskId] of tasks().entries()) {
    await addTask(workspace, { task_id: taskId })
    const ids = Array.from({ length: PER_TASK }, (_, n) => `worker-${t}-${n}`)
    for (const agentId of ids.slice(0, WITH_FILES / TASKS))
      for (const file of [layout.promptFile, layout.streamLog].map(at => at({ workspace, taskId, agentId })))
        fs.writeFileSync(file, '{}\n')
    await changeTask(workspace, taskId, ({ agents }) => {
      agents.push(...ids.map(id => ({ id, status: 'running', tmux_session: `agent_${id}`, started_at })))
    })
    for (const id of ids) all[id] = { task_id: taskId, status: 'running', started_at }
  }
  await changeGlobal(workspace, ({ agents }) => {
    Object.assign(agents, all)
  })
}

/** Runs `leakrig status` or `sweep --apply`. Sends SIGINT once its standard error matches `stopAfter`. */
async function run(command: 'status' | 'sweep', { stopAfter }: { stopAfter?: RegExp } = {}) {
  const [startedAt, cpuBefore] = [performance.now(), childrenMs()]
  const args = [PROGRAM, command, workspace, ...(command === 'sweep' ? ['--apply'] : [])]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let signalledAt = Number.NaN
  child.stdout.on('data', (text: Buffer) => {
    out += text
  })
  child.stderr.on('data', (text: Buffer) => {
    if (!stopAfter?.test(String(text)) || !Number.isNaN(signalledAt)) return
    signalledAt = performance.now()
    child.kill('SIGINT')
  })
  const [code] = await once(child, 'close')
  const expected = stopAfter ? 130 : 0
  if (code !== expected) throw new Error(`leakrig ${command} exited with ${code}, expected ${expected}`)
  const endedAt = performance.now()
  const lastLine = out.trim().split('\n').at(-1)
  return {
    ms: endedAt - startedAt,
    cpuMs: childrenMs() - cpuBefore,
    stopMs: Math.round(endedAt - signalledAt),
    lastLine,
  }
}

/** CPU time of ended child processes so far, in ms. The kernel counts it in ticks of 10 ms. */
function childrenMs(): number {
  const stat = fs.readFileSync('/proc/self/stat', 'latin1')
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(13, 15)
    .map(Number)
  return (user + system) * 10
}
