import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cleanUp } from '../../index.ts'
import { ClaudeWithTools } from '../support/claude-with-tools.ts'
import { runCleaner } from '../support/cleaner-process.ts'
import { isRunning, kill, NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const crashed = { status: 'crashed', reason: 'killed', graceMs: 300 }

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
const { HOME, CLAUDE_CODE_TMPDIR } = process.env
afterEach(async () => {
  Object.assign(process.env, { HOME })
  if (CLAUDE_CODE_TMPDIR === undefined) delete process.env.CLAUDE_CODE_TMPDIR
  await rig[Symbol.asyncDispose]()
})

const left = (files: (string | undefined)[]) => files.filter(file => fs.existsSync(file ?? ''))

/** `saysForeground`: the log names the command that claude waits for, as it does after three seconds. */
async function deployAndKill(id: string, saysForeground = true) {
  const claude = new ClaudeWithTools(rig, id, saysForeground)
  const ref = await rig.deploy(id, { claude: claude.script })
  const pid = await claude.pid()
  kill(pid)
  await until('the session ended with it', () => !rig.sessions().includes(`agent_${id}`))
  return { claude, ref, pid }
}

test('files that a killed claude leaves are removed, those of another claude stay', async () => {
  const { claude, ref, pid } = await deployAndKill('killed', false)
  // A living claude of the user's, and a dead one of somebody's.
  const alive = rig.start('sleep', ['1000'])
  const others = [alive, 4_000_000].flatMap(other =>
    ['json', 'abc.key'].map(ending => path.join(claude.sessions, `${other}.${ending}`)),
  )
  for (const file of others)
    fs.writeFileSync(
      file,
      JSON.stringify({ pid: Number.parseInt(path.basename(file), 10), sessionId: 'other' }),
    )

  const report = await cleanUp(ref, crashed)
  expect(report).toMatchObject({ outcome: 'clean', notes: expect.any(Array) })
  const there = [...claude.ownFiles(pid), ...claude.snapshots, ...claude.outputs]
  expect(left(there)).toEqual([claude.snapshots[1], claude.outputs[1]])
  expect(left(others)).toEqual(others)
})

test('files of the agent’s session stay when a user’s claude has resumed the session', async () => {
  const { claude, ref, pid } = await deployAndKill('resumed')
  const { sessionId } = JSON.parse(readText(path.join(claude.sessions, `${pid}.json`)))
  const mine = rig.start('sleep', ['1000'])
  const record = path.join(claude.sessions, `${mine}.json`)
  fs.writeFileSync(record, JSON.stringify({ pid: mine, sessionId }))
  const team = path.join(claude.sessions, '../teams/mine')
  fs.mkdirSync(team, { recursive: true })
  fs.writeFileSync(path.join(team, 'config.json'), JSON.stringify({ leadSessionId: sessionId }))
  expect(await cleanUp(ref, crashed)).toMatchObject({ outcome: 'clean', problems: [] })
  expect(left([team, record])).toHaveLength(2)
  expect(left(claude.ownFiles(pid))).toEqual([])
})

test('a cleaner that is killed when the last Bash tool has ended leaves nothing that the next one does not find', async () => {
  const [first, last] = await fromSignalsToRemoval()
  let leftBehind = 0
  for (let step = first; step <= last; step++) {
    const { claude, ref, pid } = await deployAndKill(`cut-${step}`)
    // No living process shows the places any more: those of our user's claudes are searched.
    Object.assign(process.env, { HOME: claude.home, CLAUDE_CODE_TMPDIR: claude.base })
    expect((await runCleaner(rig, ref, step)).signal).toBe('SIGKILL')
    const ownFiles = [...claude.ownFiles(pid), claude.snapshots[0], claude.outputs[0]]
    if (left(ownFiles).length === ownFiles.length && !(await claude.tools()).some(isRunning)) leftBehind += 1
    const { outcome, notes } = await cleanUp(ref, crashed)
    expect(outcome).toBe('clean')
    expect(left(ownFiles), `left where step ${step} was not done: ${notes}`).toEqual([])
    expect(left([claude.snapshots[1], claude.outputs[1]])).toHaveLength(2)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  }
  expect(leftBehind, 'killed while the files were left behind').toBeGreaterThan(0)
})

/** The positions of a cleaner's first signal and of its last removal among all its steps. */
async function fromSignalsToRemoval(): Promise<[number, number]> {
  const { ref } = await deployAndKill('whole')
  const list = path.join(rig.folder, 'steps')
  await runCleaner(rig, ref, 1_000, ['env', `LEAKRIG_STEPS=${list}`])
  const steps = readText(list).split('\n')
  const first = steps.findIndex(line => line.includes(' kill ')) + 1
  const last = steps.findLastIndex(line => / unlinkSync .*\/\d+\.json$/.test(line)) + 1
  expect(first).toBeGreaterThan(0)
  return [first, last]
}
