/** @module-tag tools */

import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { programFile, testProgram } from '../../../bin/programs.ts'
import { needs } from '../../../test/needs.ts'
import { recordIntent } from '../../index.ts'
import { agentMarker, findProgram, layout } from '../../orchestrator.ts'
import { isAlive, readProcess } from '../../platform/processes/table.ts'
import { spawnDetached } from '../../reaper/spawn-detached.ts'
import { canCreateCgroups } from '../support/can-create-cgroups.ts'
import { Daemon } from '../support/daemon.ts'
import { fill } from '../support/fill.ts'
import { workspaceOnSmallDisk, writeLongPrompt } from '../support/mount.ts'
import { isRunning, kill, NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const CLEANER = testProgram('cleaner')
const HAND_OVER = programFile('hand-over')

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(async () => {
  // The process outside the agent is outside the rig too: it carries no mark, and ends by itself.
  await until('no cleaner is left', () => leftovers().length === 0)
  await rig[Symbol.asyncDispose]()
})

/** A script that cleans up its own agent on request, as an MCP server in the agent's pane does. */
function cleansItself(id: string, prefix = ''): string {
  const ref = rig.ref(id)
  const args = [ref.workspace, ref.taskId, ref.agentId, `${rig.folder}/${id}.report`].join(' ')
  return `echo ready; until [ -e go ]; do sleep 0.02; done; ${prefix} ${process.execPath} ${CLEANER} ${args}; echo "told $?"; sleep 1000 & wait`
}

const go = () => fs.writeFileSync(path.join(rig.folder, 'go'), '')

const report = (id: string) =>
  until(`the report of ${id}`, () => {
    const text = readText(`${rig.folder}/${id}.report`)
    return text !== '' && (JSON.parse(text) as { outcome: string })
  })

test('a cleaner inside its agent replies first, and the work survives it', async () => {
  const ref = await rig.deploy('own', { claude: cleansItself('own') })
  go()
  expect(await report('own')).toMatchObject({ outcome: 'handed-over', problems: [] })
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(rig.sessions()).toEqual(['user'])
  // Its caller got the reply, and had time to pass it on.
  expect(readText(layout.archived(ref, layout.streamLog(ref)))).toBe('ready\ntold 0\n')
})

test('its signals are in the log that the environment names, with who sent them', async () => {
  const file = path.join(rig.folder, 'cleanup.ndjson')
  const ref = await rig.deploy('logged', { claude: cleansItself('logged', `LEAKRIG_CLEANUP_LOG=${file}`) })
  go()
  await report('logged')
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  const lines = readText(file)
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
  expect(lines.filter(({ by }) => by === 'call').map(({ event }) => event)).toEqual([
    ...['intent', 'hand-over', 'cleaned'],
  ])
  expect(lines).toContainEqual({
    ...{ time: expect.any(String), level: 'info', event: 'signal', by: 'hand-over', agent: 'logged' },
    ...{ signal: 'SIGTERM', role: 'producer', comm: expect.any(String) },
    ...{ cleaner: expect.any(Number), pid: expect.any(Number), start: expect.any(Number) },
  })
})

test('also on a full disk, where the process outside is given the end that no registry has', async ({
  skip,
}) => {
  const mounted = await workspaceOnSmallDisk(rig)
  if (typeof mounted === 'string') return skip(mounted)
  using _ = mounted
  const ref = await rig.deploy('full', { claude: cleansItself('full') })
  await rig.waitUntilRunning(ref)
  writeLongPrompt(ref)
  fill(path.join(rig.workspace, 'filler'))
  go()
  expect(await report('full')).toMatchObject({ outcome: 'handed-over', status: 'running' })
  // In the room that its prompt has left.
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(rig.entry(ref)).toMatchObject({ status: 'completed', reason: 'it said so' })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('also when the server ends with the agent’s session, its last', async () => {
  const ref = await rig.deploy('last', { claude: cleansItself('last') })
  rig.tmux('kill-session', '-t', '=user:')
  go()
  await report('last')
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(fs.existsSync(layout.promptFile(ref))).toBe(false)
  expect(rig.processesOf(ref)).toEqual([])
})

test('also without a marker, in a session of its own, and below a daemon', async () => {
  const ref = await rig.deploy('deep', {
    claude: `( setsid env -u LEAKRIG_AGENT bash -c '${cleansItself('deep')}' & ); sleep 1000 & wait`,
  })
  go()
  expect(await report('deep')).toMatchObject({ outcome: 'handed-over' })
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

describe('also when no server is left, and the new process stays inside', () => {
  afterEach(() => {
    delete process.env.LEAKRIG_CONTAINMENT
  })

  // It ignores the hang-up that comes when the server is gone, and prints nothing, because its reader has ended.
  const waits = `trap "" HUP PIPE;`
  const hasTini = findProgram('tini') !== undefined

  test.for([
    { location: 'the subreaper of our launch', by: 'tini', wants: 'tini on the PATH', isThere: hasTini },
    { location: 'a subreaper of the agent’s own', by: 'none', wants: 'tini on the PATH', isThere: hasTini },
    { location: 'a cgroup', by: 'cgroup', wants: 'cgroup that we may write', isThere: canCreateCgroups },
  ])('$where', async ({ by, wants, isThere }) => {
    needs(wants, isThere)
    process.env.LEAKRIG_CONTAINMENT = by
    const script = waits + cleansItself('held')
    const claude = by === 'none' ? `exec tini -s -- bash -c '${script}'` : script
    const ref = await rig.deploy('held', { contained: true, claude })
    expect(rig.entry(ref).contained?.by ?? 'none').toBe(by)
    const bystander = rig.start('env', ['-i', 'sleep', '1000'])
    const { pane_pid = 0, server_pid = 0 } = rig.entry(ref).tmux ?? {}
    kill(server_pid)
    // The hang-up comes when the pane's process ends, and Node does not ignore it although its parent does.
    await until('the pane has ended', () => !isRunning(server_pid) && !isRunning(pane_pid))
    go()
    expect(await report('held')).toMatchObject({ outcome: 'handed-over' })
    await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
    expect(rig.entry(ref).cleanup?.problems).toBeUndefined()
    expect(fs.existsSync(layout.promptFile(ref))).toBe(false)
    expect(rig.processesOf(ref)).toEqual([])
    expect([pane_pid, bystander].map(isRunning)).toEqual([false, true])
    const { contained } = rig.entry(ref)
    if (contained?.by === 'cgroup') expect(fs.existsSync(contained.path)).toBe(false)
  })
})

test('a cleaner that gets no processor time still replies, and nobody ends it before that', async () => {
  const ref = await rig.deploy('slow', { claude: cleansItself('slow', 'STOP=1') })
  const daemon = await Daemon.start(rig)
  go()
  const cleaner = await until('it has stopped', () => {
    const { cleaner } = rig.entry(ref).cleanup ?? {}
    return readProcess(cleaner?.pid ?? 0)?.state === 'T' && cleaner
  })
  await until('the one outside is at it', () => leftovers().length > 0)
  const since = performance.now()
  await until('the others have had the time to end it', () => performance.now() - since > 1_500)
  expect(isAlive(cleaner)).toBe(true)
  kill(cleaner.pid, 'SIGCONT')
  expect(await report('slow')).toMatchObject({ outcome: 'handed-over', problems: [] })
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  await daemon.stop()
})

test('a cleaner that gets no processor time any more is not waited for', async () => {
  const ref = await rig.deploy('stuck', { claude: cleansItself('stuck', 'STOP=1') })
  go()
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(readText(`${rig.folder}/stuck.report`)).toBe('')
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('a hand-over to a process inside the agent is refused, and the daemon finishes the work', async () => {
  const ref = rig.ref('within')
  const words = [process.execPath, HAND_OVER, ref.workspace, ref.taskId, ref.agentId, '300'].join(' ')
  await rig.deploy('within', {
    claude: `echo ready; until [ -e go ]; do sleep 0.05; done; env -i PATH="$PATH" setsid -w ${words}; sleep 1000 & wait`,
  })
  await recordIntent(ref, { status: 'completed', reason: 'it said so' })
  go()
  await until('it has refused', () => rig.entry(ref).cleanup?.problems !== undefined)
  expect(rig.entry(ref).cleanup?.problems).toEqual([
    'The cleanup of within was handed to a process that is part of the agent too; nothing was ended. Run it from outside the agent.',
  ])
  expect(rig.sessions()).toContain('agent_within')
  expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
  const daemon = await Daemon.start(rig)
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  await daemon.stop()
})

test('two at once do not end each other', async () => {
  const both = `( ${cleansItself('pair')} ) & ${cleansItself('pair')}`
  const ref = await rig.deploy('pair', { claude: both })
  go()
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(rig.entry(ref).cleanup?.problems).toBeUndefined()
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('the process outside carries no mark of the agent, and every argument arrives unchanged', async () => {
  const folder = path.join(rig.folder, 'a b\'c"d#{pid}#H%H$(id)`id`;\n')
  fs.mkdirSync(folder)
  const program = path.join(folder, 'probe.mjs')
  fs.writeFileSync(
    program,
    `import fs from 'node:fs'
     fs.writeFileSync(process.argv[2], JSON.stringify({ pid: process.pid, env: process.env, args: process.argv.slice(3) }))
     setTimeout(() => {}, 60_000)`,
  )
  for (const server of [{ socket: rig.socket }, undefined]) {
    const file = path.join(folder, `out-${server === undefined}`)
    const words = [
      "it's",
      '#{session_name}',
      '##',
      '#[x]',
      '#(id)',
      '\\',
      '$HOME',
      '%H',
      'two\nlines',
      '',
      ';',
      '~',
    ]
    process.env.LEAKRIG_AGENT = agentMarker(rig.ref('x'))
    process.env.CLAUDE_CODE_SESSION_ID = 'x'
    try {
      await spawnDetached(program, [file, ...words], server)
    } finally {
      delete process.env.LEAKRIG_AGENT
      delete process.env.CLAUDE_CODE_SESSION_ID
    }
    const { pid, env, args } = await until('it runs', () => {
      const text = readText(file)
      return text !== '' && JSON.parse(text)
    })
    expect(args).toEqual(words)
    expect(
      Object.keys(env).filter(name => /^(TMUX$|TMUX_PANE|LEAKRIG_(?!SOCKET)|CLAUDE)/.test(name)),
    ).toEqual([])
    const stat = readText(`/proc/${pid}/stat`).split(' ')
    expect(stat[6], 'its terminal').toBe('0')
    process.kill(pid, 'SIGKILL')
    await until('it has ended', () => !isRunning(pid))
  }
})

/** Processes of ours that work for the rig's workspace. */
function leftovers(): string[] {
  return fs
    .readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
    .filter(command => command.includes(path.basename(HAND_OVER)) && command.includes(rig.workspace))
}
