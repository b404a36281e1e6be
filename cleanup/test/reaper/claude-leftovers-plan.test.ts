import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { claim } from '../../claims/claim.ts'
import { observe } from '../../claims/observe.ts'
import { type AgentRef, cleanUp, type Sweep } from '../../index.ts'
import { readTaskRegistry } from '../../orchestrator.ts'
import { findClaudeLeftovers } from '../../reaper/claude-leftovers/find.ts'
import { removeClaudeLeftovers } from '../../reaper/claude-leftovers/remove.ts'
import { ClaudeHome, SESSION, UNUSED_PID } from '../support/claude-home.ts'
import { ClaudeWithTools } from '../support/claude-with-tools.ts'
import { leakrig, leakrigJson } from '../support/cli.ts'
import { listing } from '../support/listing.ts'
import { isRunning, kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const terminated = { status: 'terminated', reason: 'x', graceMs: 300 }

let rig: Rig
let user: ClaudeHome
beforeEach(async () => {
  rig = await Rig.start()
  user = new ClaudeHome(rig)
})
afterEach(async () => {
  user[Symbol.dispose]()
  await rig[Symbol.asyncDispose]()
})

/** What is planned now, and how to carry that out after the agent has lost its processes. */
async function plan(ref: AgentRef) {
  const observation = await observe(ref, readTaskRegistry(ref.workspace, ref.taskId))
  const claims = claim(observation)
  const found = findClaudeLeftovers(observation, claims)
  return async () => {
    for (const pid of claims.claimed.keys()) kill(pid)
    await until('they have ended', () => ![...claims.claimed.keys()].some(isRunning))
    const report = { removed: [], notes: [] }
    removeClaudeLeftovers(found, claims.claimed, report, () => {})
    return { ...report, going: found.going.map(({ file }) => file) }
  }
}

test('a dry run lists every file, and apply removes exactly these', async () => {
  const claude = new ClaudeWithTools(rig, 'tools', false)
  const ref = await rig.deploy('tools', { claude: claude.script })
  const pid = await claude.pid()
  const { sessionId } = JSON.parse(fs.readFileSync(path.join(claude.sessions, `${pid}.json`), 'utf8'))
  user.writeTeam(sessionId, 'led', path.join(claude.home, '.claude'))
  user.writeTeam(SESSION, 'others', path.join(claude.home, '.claude'))
  user.write(path.join(claude.home, `.claude/sessions/${UNUSED_PID}.json`), {
    pid: UNUSED_PID,
    sessionId: SESSION,
  })
  user.write(path.join(claude.home, 'mine'))
  user.write(path.join(claude.base, 'claude-abcdef-cwd'), '/another/folder')
  kill(pid)
  await until('the session ended with it', () => !rig.sessions().includes('agent_tools'))
  const before = listing(claude.home)

  const run = (...args: string[]) =>
    leakrigJson<{ sweeps: Sweep[] }>(['sweep', rig.workspace, '--grace', '1', ...args]).sweeps[0]
  const files = (actions: Sweep['actions'] = []) =>
    actions.flatMap(action => (action.do === 'remove' ? [action.file] : [])).sort()
  const dry = run()
  expect(listing(claude.home)).toEqual(before)
  const text = leakrig(['sweep', rig.workspace]).out
  const planned = files(dry?.actions)
  const below = planned.filter(file => file.startsWith(claude.home))
  expect(below).toEqual(
    expect.arrayContaining([...claude.ownFiles(pid), claude.snapshots[0], claude.outputs[0]]),
  )
  for (const file of below) expect(text).toContain(`remove, if its claude does not do so itself: ${file} (`)

  const done = run('--apply')?.agents.flatMap(agent => agent.done?.actions ?? [])
  expect(files(done)).toEqual(planned)
  const after = listing(claude.home)
  expect(Object.keys(before).filter(file => !(file in after))).toEqual(below)
  expect(after).toEqual(Object.fromEntries(Object.entries(before).filter(([file]) => file in after)))
  expect(run()?.actions).toEqual([])
  expect(rig.entry(ref).cleanup?.state).toBe('done')
})

test('what is exchanged for a link between the look and the removal leads nowhere', async () => {
  const ref = await user.deploy('a')
  user.writeSession(SESSION, 'mine')
  const removal = await plan(ref)
  const decoy = path.join(rig.folder, 'decoy')
  for (const name of ['.claude/teams', '.claude/tasks/mine', `base/claude-${process.geteuid?.()}/slug`]) {
    const there = path.join(name.startsWith('base') ? rig.folder : user.home, name)
    const to = path.join(decoy, path.basename(name))
    fs.mkdirSync(decoy, { recursive: true })
    fs.renameSync(there, to)
    fs.symlinkSync(to, there)
  }
  const before = listing(decoy)
  const { going, removed, notes } = await removal()
  expect(going).toHaveLength(6)
  expect(removed).toEqual([])
  expect(notes.join('\n')).toMatch(/teams is a symbolic link/)
  expect(listing(decoy)).toEqual(before)
})

test('a file that takes the place of a planned one stays, and so does one that comes later', async () => {
  const ref = await user.deploy('a')
  const [note = ''] = user.writeSession(SESSION, 'mine')
  const removal = await plan(ref)
  fs.renameSync(note, `${note}.old`)
  user.write(note, 'another one')
  const late = user.write(path.join(user.claude, 'teams/mine/late.json'))
  const { removed, notes } = await removal()
  expect(fs.readFileSync(note, 'utf8')).toBe('another one')
  expect(fs.existsSync(late)).toBe(true)
  expect(removed).toHaveLength(4)
  expect(notes.join('\n')).toMatch(/note stays, because it was replaced since/)
  expect(notes.join('\n')).toMatch(/teams\/mine stays, because something was made in it since/)
})

test('a session that a claude takes up between the look and the removal stays', async () => {
  const ref = await user.deploy('a')
  user.writeSession(SESSION, 'mine')
  const removal = await plan(ref)
  const pid = rig.start('sleep', ['1000'])
  user.write(path.join(user.claude, `sessions/${pid}.json`), { pid, sessionId: SESSION })
  const before = [listing(user.home), listing(user.base)]
  const { removed, notes } = await removal()
  expect(removed).toEqual([])
  expect(notes.join('\n')).toMatch(/stays, because a claude that lives has the session now/)
  expect([listing(user.home), listing(user.base)]).toEqual(before)
})

test('a team whose folder is nested too deep, or is older in a part, stays as a whole', async () => {
  const old = user.write(path.join(rig.folder, 'old'))
  await user.waitPastClockSkew()
  await user.deploy('a')
  for (const team of ['deep', 'partly-old', 'whole']) user.writeTeam(SESSION, team)
  fs.mkdirSync(path.join(user.claude, 'teams/deep', 'd/'.repeat(40)), { recursive: true })
  fs.renameSync(old, path.join(user.claude, 'tasks/partly-old/old'))
  const before = listing(user.claude)
  const report = await cleanUp(rig.ref('a'), terminated)
  expect(report.outcome).toBe('clean')
  expect(report.notes.join('\n')).toMatch(/teams\/deep is nested more than 32 levels deep, and stays/)
  expect(report.notes.join('\n')).toMatch(/partly-old\/old is not of the agent's life/)
  const isOfWhole = (file: string) => /\/whole(\/|$)/.test(file)
  expect(listing(user.claude)).toEqual(
    Object.fromEntries(Object.entries(before).filter(([file]) => !isOfWhole(file))),
  )
})
