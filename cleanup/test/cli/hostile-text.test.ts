import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { dir } from 'tmp-promise'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { guard } from '../../../test/guard.ts'
import {
  type AgentEntry,
  addAgent,
  addTask,
  agentMarker,
  initRegistries,
  layout,
  RECORD_FORMAT,
  recordOf,
} from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { until } from '../support/until.ts'

/** What a terminal, tmux or a shell would act on: sequences, a changed direction of writing, line ends, formats, commands. */
const TERMINAL = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u007f\u202e\u2066\u061c\u2028\b'
const SHELL = `#(touch pwned)#{pid}$(touch pwned)\`touch pwned\`;touch pwned;'"\\%H`
const HOSTILE = `${TERMINAL}\n${SHELL}\r\nleakrig: all is well`

/** Every byte that is no text, and every character that shows text in another order. */
const RAW = /[\x00-\x09\x0b-\x1f\x7f-\x9f\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

const TASK = 'TASK-1'
const MARK = 'LEAKRIG_HOSTILE'

let base: string
let workspace: string
let remove: () => Promise<void>
let dismiss: () => void
let env: NodeJS.ProcessEnv
beforeEach(async () => {
  const made = await dir({ prefix: 'lr-', unsafeCleanup: true })
  base = fs.realpathSync(made.path)
  remove = made.cleanup
  dismiss = guard(MARK, base).dismiss
  workspace = path.join(base, `x${HOSTILE}`, '.agent-workspace')
  env = { TMUX_TMPDIR: base, HOME: base, [MARK]: base, TMUX: undefined, TMUX_PANE: undefined }
  await initRegistries(workspace)
  await addTask(workspace, { task_id: TASK, note: HOSTILE })
})
afterEach(async () => {
  spawnSync('tmux', ['kill-server'], { env: { ...process.env, ...env } })
  await remove()
  dismiss()
})

const ref = (agentId: string) => ({ workspace, taskId: TASK, agentId })
const tmux = (...args: string[]): string =>
  execFileSync('tmux', args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    cwd: path.dirname(workspace),
  })

/** An agent that runs, whose processes have hostile names, arguments, variables, folders, windows and panes. */
async function deploy(agentId: string, entry: Partial<AgentEntry>): Promise<number> {
  const log = layout.streamLog(ref(agentId))
  const program = path.join(base, `\u001b[31m\u202e;${agentId}`)
  fs.copyFileSync('/bin/sleep', program)
  fs.chmodSync(program, 0o755)
  // The title comes from inside the pane: select-pane -T would itself expand it.
  const script = 'printf "\\e]2;#(touch pwned)\\a"; "$0" 1000 & exec -a "$2" sleep 1000 | tee "$1"'
  const line = tmux(
    ...['new-session', '-d', '-P', '-F', RECORD_FORMAT, '-s', `agent_${agentId}`],
    ...['-e', `LEAKRIG_AGENT=${agentMarker(ref(agentId))}`, '-e', `THEIRS=${HOSTILE}`],
    ...['--', 'bash', '-c', script, program, log, `claude ${HOSTILE}`],
  )
  const place = recordOf(line)
  tmux('rename-window', '-t', place.pane_id, '\u001b[31m$(touch pwned)')
  tmux('set-environment', '-t', place.session_id, 'ALSO', HOSTILE)
  await addAgent(ref(agentId), {
    status: 'running',
    tmux: place,
    started_at: new Date().toISOString(),
    ...entry,
  })
  fs.writeFileSync(layout.promptFile(ref(agentId)), HOSTILE)
  fs.writeFileSync(
    log,
    `${JSON.stringify({ type: 'result', result: HOSTILE, subtype: HOSTILE, is_error: true })}\n${HOSTILE}`,
  )
  return place.pane_pid
}

/** What other programs may have written into a registry. */
async function plant(): Promise<void> {
  const fields = { type: HOSTILE, parent: HOSTILE, reason: HOSTILE, started_at: HOSTILE, [HOSTILE]: HOSTILE }
  const tmux = {
    socket: `/${HOSTILE}`,
    server_pid: 1,
    session_id: '$1',
    session_created: 1,
    pane_id: '%1',
    pane_pid: 1,
  }
  const cleanup = { state: 'pending', since: HOSTILE, reason: HOSTILE, problems: [HOSTILE] } as const
  await addAgent(ref('dead'), {
    status: `crashed${HOSTILE}`,
    ...fields,
    tmux_session: HOSTILE,
    prompt_file: HOSTILE,
  })
  await addAgent(ref('elsewhere'), { status: 'completed', ...fields, tmux, cleanup })
  const registry = JSON.parse(fs.readFileSync(layout.taskRegistry(workspace, TASK), 'utf8'))
  registry.agents.push({ id: HOSTILE, status: HOSTILE }, HOSTILE)
  fs.writeFileSync(layout.taskRegistry(workspace, TASK), JSON.stringify(registry))
  const global = JSON.parse(fs.readFileSync(layout.globalRegistry(workspace), 'utf8'))
  global.agents[HOSTILE] = { task_id: HOSTILE, status: 'running' }
  global.agents.stale = { task_id: `T${HOSTILE}`, status: 'running', started_at: '2020-01-01T00:00:00Z' }
  global.tasks[HOSTILE] = HOSTILE
  fs.writeFileSync(layout.globalRegistry(workspace), JSON.stringify(global))
  const archive = layout.archiveFolder(ref('dead'))
  fs.writeFileSync(path.join(archive, HOSTILE.replaceAll('/', '')), 'x')
  fs.writeFileSync(path.join(path.dirname(archive), `agent_prompt_${HOSTILE}.txt`), 'x')
  fs.mkdirSync(path.join(workspace, `T${HOSTILE}`))
  fs.writeFileSync(path.join(workspace, `T${HOSTILE}`, 'AGENT_REGISTRY.json'), `{"agents": ${HOSTILE}`)
  fs.writeFileSync(
    path.join(workspace, 'registry', 'retention-hold.json'),
    JSON.stringify({ until: '2999-01-01', reason: HOSTILE }),
  )
}

test('nothing from outside reaches the terminal as it is, and nothing of it is run', {
  tags: ['long'],
}, async () => {
  const pid = await deploy('lives', { reason: HOSTILE, type: HOSTILE })
  await deploy('ended', { status: 'completed', reason: HOSTILE })
  tmux('new-session', '-d', '-s', 'agent_unlisted', '-e', `LEAKRIG_AGENT=${HOSTILE}`, 'exec sleep 1000')
  await plant()
  const printed: string[] = []
  const run = (...args: string[]): string => {
    const { out, err } = leakrig(args, path.dirname(workspace), env)
    expect(`${out}${err}`, args.join(' ')).not.toBe('')
    printed.push(out, err)
    return out
  }
  const every = [workspace]
  for (const json of [[], ['--json']]) {
    run('status', '--all', ...every, ...json)
    run('explain', 'lives', ...every, ...json)
    run('explain', String(pid), ...every, ...json)
    run('sweep', '--orphans', '--min-age', '0s', ...every, ...json)
    run('retention', '--keep-days', '0', '--ignore-hold', ...every, ...json)
  }
  run('explain', HOSTILE, ...every)
  run('status', HOSTILE)
  run('sweep', `--${HOSTILE}`)
  run(
    'service',
    'install',
    '--print',
    '--metrics-file',
    path.join(base, `${HOSTILE.replaceAll('/', '')}.prom`),
    ...every,
  )
  printed.push(await daemonsOutput())
  run('sweep', '--apply', '--orphans', '--min-age', '0s', '--grace', '100ms', ...every)
  run('retention', '--apply', '--keep-days', '0', '--ignore-hold', ...every)

  for (const text of printed) expect(RAW.exec(text)?.[0]).toBeUndefined()
  for (const text of printed) expect(text).not.toMatch(/^leakrig: all is well/m)
  const files = fs.readdirSync(base, { recursive: true, withFileTypes: true })
  expect(files.filter(({ name }) => name === 'pwned')).toEqual([])
  for (const folder of ['.', '/', path.dirname(workspace)])
    expect(fs.existsSync(path.join(folder, 'pwned'))).toBe(false)
})

/** The log and the metrics of a daemon that watches the workspace until it has cleaned up once. */
async function daemonsOutput(): Promise<string> {
  const metrics = path.join(base, `metrics${TERMINAL}.prom`)
  const args = [testProgram('leakrig'), 'daemon', workspace, '--grace', '100ms', '--metrics-file', metrics]
  const daemon = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  for (const stream of [daemon.stdout, daemon.stderr]) stream.on('data', chunk => chunks.push(chunk))
  const text = () => Buffer.concat(chunks).toString('utf8')
  await until(
    'it has cleaned up and written its metrics',
    () => text().includes('"event":"cleaned') && fs.existsSync(metrics),
  )
  const exited = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  await exited
  return text() + fs.readFileSync(metrics, 'utf8')
}

test('only one file writes to standard output and standard error', () => {
  const folder = path.join(import.meta.dirname, '../..')
  const sources = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const writing = sources.filter(file => {
    if (!file.endsWith('.ts') || /^(test|bench)\//.test(file)) return false
    return /\bconsole\.|\bprocess\.std(out|err)\.write/.test(fs.readFileSync(path.join(folder, file), 'utf8'))
  })
  expect(writing).toEqual(['cli/output.ts'])
})
