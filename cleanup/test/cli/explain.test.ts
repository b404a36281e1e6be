import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import type { NearMiss } from '../../claims/near-misses.ts'
import { cleanUp } from '../../index.ts'
import { agentMarker, layout } from '../../orchestrator.ts'
import type { Plan } from '../../reaper/plan.ts'
import { leakrig, leakrigJson } from '../support/cli.ts'
import { isRunning, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }
const idle = 'echo ready; sleep 1000 & wait'
const lost = `(setsid env -i /bin/bash -c 'cd /; echo $$ >'$PWD'/lost.pid; exec sleep 1000' </dev/null >/dev/null 2>&1 &)`

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Root may open a file that it then may not read. */
function canRead(file: string): boolean {
  try {
    fs.readFileSync(file)
    return true
  } catch {
    return false
  }
}

const explain = (target: string) => leakrig(['explain', target, '--workspace', rig.workspace])
const explained = (target: string) =>
  leakrigJson<{ plan: Plan; nearMisses: NearMiss[] }>(['explain', target, '--workspace', rig.workspace])

test('an agent: a tree with reasons, the steps, and what is not claimed', async () => {
  const ref = await rig.deploy('a', { claude: 'echo ready; sleep 1000 >/dev/null & wait' })
  const reader = rig.start('tail', ['-f', layout.streamLog(ref)])
  const named = rig.start('bash', ['-c', 'sleep 1000; : agent_a'])
  const claude = rig.start('bash', ['-c', 'exec -a claude sleep 1000'])
  await until('tail has it open', () => explain('a').out.includes('it has the agent’s log open'))
  const { plan, nearMisses } = explained('a')
  expect(plan.end.map(({ role }) => role)).toEqual(['producer', 'other', 'log-writer', 'pane'])
  expect(plan.remove.map(({ file }) => file)).toEqual([layout.promptFile(ref)])
  expect(plan.archive).toHaveLength(4)
  const reasons = new Map(nearMisses.map(one => [one.pid, `${one.resemblances} / ${one.reason}`]))
  expect(reasons.get(reader)).toMatch(/log open \/ it only reads the log/)
  expect(reasons.get(named)).toMatch(/arguments contain .* \/ an argument is not evidence/)
  expect(reasons.get(rig.entry(ref).tmux?.server_pid ?? 0)).toMatch(
    /it is the tmux server of the agent’s session \/ nothing shows that the agent started it/,
  )
  expect([...reasons].filter(([, why]) => why.includes('it is a tmux server /'))).toEqual([])
  expect(reasons.has(claude)).toBe(false)

  const { code, out } = explain('TASK-1/a')
  expect(code).toBe(0)
  const pane = rig.entry(ref).tmux?.pane_pid
  expect(out).toMatch(
    new RegExp(`^  bash ${pane} .*\\n    because pane: tmux started it in pane %\\d+; terminal: `, 'm'),
  )
  expect(out).toMatch(
    new RegExp(`^      bash \\d+ .*\\n        because .*descent: child of bash ${pane}`, 'm'),
  )
  expect(out).toMatch(/^ {2}1\. TERM to bash \d+, which produces the log’s lines and ends its own children$/m)
  expect(out).toMatch(
    /^ {2}\d\. wait for tee \d+, which brings them to the log and ends by itself when its input does$/m,
  )
  expect(out).toMatch(/close the session agent_a by its id \$\d+/)
  expect(out).toMatch(/^ {2}\d+\. write the end of the agent and of its cleanup into both registries$/m)
  expect(isRunning(pane ?? 0)).toBe(true)
  expect(rig.entry(ref).status).toBe('running')
})

describe('a process', () => {
  test('that belongs to an agent, and one that belongs to none', async () => {
    const ref = await rig.deploy('a', { claude: 'echo $$ >claude.pid; echo ready; exec sleep 1000' })
    const own = explain(String(await rig.pid('claude')))
    expect(own).toMatchObject({
      code: 0,
      out: expect.stringMatching(/it belongs to agent a of TASK-1:\n {2}terminal: /),
    })
    const stranger = rig.start('bash', ['-c', 'sleep 1000; : agent_a'])
    await until('it runs', () => fs.readFileSync(`/proc/${stranger}/cmdline`, 'utf8').includes('agent_a'))
    const { out } = explain(String(stranger))
    expect(out).toMatch(/it belongs to no agent\. A claim would need a parent, /)
    expect(out).toMatch(/it does not belong to agent a, although it looks similar:/)
    expect(rig.entry(ref).status).toBe('running')
  })

  test('whose environment cannot be read', async () => {
    needs('process whose environment cannot be read', !canRead('/proc/1/environ'))
    await rig.deploy('a', { claude: idle })
    const { code, out } = explain('1')
    expect(out).toMatch(/^ {2}environment: could not be read$/m)
    expect(out).toMatch(
      /^no evidence ties it to an agent, but its environment could not be read\. A claim would need /m,
    )
    expect(out).not.toContain('belongs to no agent')
    expect(code).toBe(3)
    expect(leakrigJson(['explain', '1', rig.workspace])).toMatchObject({
      isEnvironmentReadable: false,
      owners: [],
    })
  })

  test('of another workspace, or of an agent that no registry lists, is named as sweep and status name it', async () => {
    const there = { workspace: `${rig.folder}/there/.agent-workspace`, taskId: 'T', agentId: 'far' }
    fs.mkdirSync(`${there.workspace}/T/logs`, { recursive: true })
    rig.newSession(there, { claude: 'echo $$ >far.pid; echo ready; exec sleep 1000', marker: false })
    const far = explain(String(await rig.pid('far')))
    expect(far.out).toMatch(
      /it belongs to no agent of this workspace, but to the workspace .*\/there\/.*: process \d+ \(tee\) writes /,
    )
    const lost = rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(rig.ref('lost')) })
    expect(explain(String(lost)).out).toMatch(
      / and is a leftover: LEAKRIG_AGENT=.*\/lost\. "leakrig sweep \//,
    )
  })

  test('without a parent', () => {
    expect(explain('1').out).toMatch(/^ {2}parents: none; session /m)
  })

  test('whose name would rewrite the terminal', async () => {
    await rig.deploy('a', { claude: idle })
    const pid = rig.start('perl', ['-e', '$0 = "\\e[2Jevil\\nline"; sleep 1000'])
    await until('it has its name', () => fs.readFileSync(`/proc/${pid}/comm`, 'utf8').includes('evil'))
    expect(explain(String(pid)).out).toContain('\\u{1b}[2Jevil\\u{a}line')
  })
})

test('a daemon with an emptied environment, where nothing contains it, is reported and left alone', async () => {
  const ref = await rig.deploy('a', {
    claude: `${lost}; until [ -s lost.pid ]; do sleep 0.01; done; ${idle}`,
  })
  const pid = await rig.pid('lost')
  // An orphan of the same age whose environment is not empty is not suspect.
  const innocent = rig.start('bash', ['-c', '(setsid sleep 999 >/dev/null &)'])
  await until('it is an orphan', () => !isRunning(innocent))
  const { plan, nearMisses } = explained('a')
  expect(plan.end.map(one => one.pid)).not.toContain(pid)
  expect(nearMisses.find(one => one.pid === pid)).toMatchObject({
    resemblances: ['an orphan that started after the agent', 'its environment was emptied'],
    reason: expect.stringMatching(/^nothing ties it to the agent/),
  })
  const report = await cleanUp(ref, completed)
  expect(report).toMatchObject({ outcome: 'clean' })
  expect(report.suspects.map(one => one.pid)).toContain(pid)
  expect(report.suspects.filter(({ command }) => command.includes('999'))).toEqual([])
  expect(isRunning(pid)).toBe(true)
})

test('an agent without remains: the explaining process itself is not listed as similar', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  await cleanUp(ref, completed)
  const { code, out } = leakrig(['explain', 'a', rig.workspace])
  expect(code).toBe(0)
  expect(out).toMatch(/^claimed: no process\nnothing is left to end, remove or archive$/m)
  expect(out).not.toMatch(/^a cleanup would/m)
  expect(out).not.toContain('leakrig.ts')
  expect(out).not.toContain('the agent’s session')
})

test('an agent, while the registry of another task is truncated', async () => {
  await rig.deploy('a', { claude: idle })
  fs.mkdirSync(path.join(rig.workspace, 'TASK-0'))
  fs.writeFileSync(layout.taskRegistry(rig.workspace, 'TASK-0'), '{"agents": [')
  expect(explain('a')).toMatchObject({
    code: 3,
    out: expect.stringMatching(/^agent a of TASK-1 .*\ncould not be read: .*TASK-0/s),
  })
  expect(explain('b')).toMatchObject({ code: 3, err: expect.stringMatching(/TASK-0.* could not be read/) })
})

test('bad input is refused in one sentence', async () => {
  await rig.deploy('a', { claude: idle })
  const cases: [string, RegExp][] = [
    ['nobody', /^leakrig: No registry in .* lists an agent "nobody"; expected [^\n]*\.$/],
    ['999999999', /^leakrig: There is no process 999999999, and no agent of that name; check the number\.$/],
    ['../a', /^leakrig: No registry in .* lists an agent "\.\.\/a"; expected [^\n]*\.$/],
    [
      rig.workspace,
      /^leakrig: "\/[^\n]*" is a folder; name an agent or a process first: npm run leakrig -- explain <agent\|pid> \/[^\n]*\.$/,
    ],
    ['a\nb', /^leakrig: No registry in .* lists an agent "a\\nb"; expected [^\n]*\.$/],
  ]
  for (const [target, said] of cases)
    expect(explain(target)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(said) })
  fs.truncateSync(layout.taskRegistry(rig.workspace, 'TASK-1'), 20)
  expect(explain('a')).toMatchObject({
    code: 3,
    err: expect.stringMatching(/^leakrig: The registry .* could not be read/),
  })
})
