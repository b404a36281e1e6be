import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { cleanUp } from '../../index.ts'
import { agentMarker, updateAgent } from '../../orchestrator.ts'
import { ClaudeHome, SESSION, UNUSED_PID } from '../support/claude-home.ts'
import { runCleaner } from '../support/cleaner-process.ts'
import { listing } from '../support/listing.ts'
import { isRunning, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const terminated = { status: 'terminated', reason: 'x', graceMs: 300 }
const ANOTHER = 54_321
const isRoot = process.geteuid?.() === 0

let rig: Rig
let user: ClaudeHome
let decoy: string
beforeEach(async () => {
  rig = await Rig.start()
  user = new ClaudeHome(rig)
  decoy = path.join(rig.folder, 'decoy')
  fs.mkdirSync(decoy)
})
afterEach(async () => {
  user[Symbol.dispose]()
  await rig[Symbol.asyncDispose]()
})

const notesOf = async (id: string) => {
  const report = await cleanUp(rig.ref(id), terminated)
  expect(report).toMatchObject({ outcome: 'clean', problems: [] })
  return report.notes.join('\n')
}

describe('what an agent writes into its log', () => {
  test.each([
    ['leads out of the folder', '../../../home/.ssh'],
    ['is a path', '/etc'],
    ['is long', 'a'.repeat(300)],
  ])('a session that %s is none', async (_, session) => {
    user.write(path.join(user.home, '.ssh/id_ed25519'))
    user.write(path.join(user.home, '.ssh/tasks/fg.output'))
    fs.mkdirSync(path.join(user.temporary, 'slug'), { recursive: true })
    await user.deploy('a', session)
    const before = listing(user.home)
    await notesOf('a')
    expect(listing(user.home)).toEqual(before)
  })

  test.each(['..', 'a/b', '../../../../home/.ssh/id', 'a.b'])('a task %j is none', async task => {
    user.write(path.join(user.home, '.ssh/id.output'))
    const event = JSON.stringify({ session_id: SESSION, task_id: task, is_backgrounded: false })
    await user.deploy('a', SESSION, {
      claude: `export HOME=${user.home} CLAUDE_CODE_SESSION_ID=${SESSION}; echo '${event}'; sleep 1000 & echo ready; wait`,
    })
    const before = listing(user.home)
    await notesOf('a')
    expect(listing(user.home)).toEqual(before)
  })
})

describe('the user’s own session, which the agent’s log and environment name, stays', () => {
  test('while a command of it runs', async () => {
    const ref = await user.deploy('a')
    user.writeSession(SESSION, 'mine')
    rig.start('sleep', ['1000'], { CLAUDE_CODE_SESSION_ID: SESSION })
    const before = [listing(user.home), listing(user.base)]
    expect(await notesOf(ref.agentId)).toMatch(
      /process \d+ \(sleep\), which is not the agent's, was started in it/,
    )
    expect([listing(user.home), listing(user.base)]).toEqual(before)
  })

  test.each([
    ['transcript', (user: ClaudeHome) => path.join(user.claude, 'projects/slug', `${SESSION}.jsonl`)],
    ['folder', (user: ClaudeHome) => path.join(user.temporary, 'slug', SESSION, 'started')],
    ['team', (user: ClaudeHome) => path.join(user.claude, 'teams/mine/inboxes')],
  ])('when its %s is older than the agent', async (_, older) => {
    user.write(older(user), '')
    await user.waitPastClockSkew()
    await user.deploy('a')
    user.writeSession(SESSION, 'mine')
    const before = [listing(user.home), listing(user.base)]
    expect(await notesOf('a')).toMatch(/older than the agent/)
    expect([listing(user.home), listing(user.base)]).toEqual(before)
  })

  test('when it was in another folder', async () => {
    await user.deploy('a')
    user.write(path.join(user.claude, 'projects/-another-folder', `${SESSION}.jsonl`))
    user.writeSession(SESSION, 'mine', '-another-folder')
    const before = [listing(user.home), listing(user.base)]
    expect(await notesOf('a')).toMatch(/is of another folder/)
    expect([listing(user.home), listing(user.base)]).toEqual(before)
  })

  test('when only the log names it', async () => {
    await user.deploy('a', SESSION, {
      claude: `export HOME=${user.home}; echo '{"session_id":"${SESSION}"}'; echo ready; sleep 1000 & wait`,
    })
    user.writeSession(SESSION, 'mine')
    const before = [listing(user.home), listing(user.base)]
    expect(await notesOf('a')).toMatch(/only its log names it/)
    expect([listing(user.home), listing(user.base)]).toEqual(before)
  })

  test('when a claude of the user’s was killed in it, long after the agent began or in another folder', async () => {
    const claude = `export HOME=${user.home}; echo '{"subtype":"init","cwd":"${rig.folder}","session_id":"${SESSION}"}'; echo ready; sleep 1000 & wait`
    await user.deploy('a', SESSION, { claude })
    user.writeSession(SESSION, 'mine')
    user.write(path.join(user.claude, `sessions/${UNUSED_PID}.json`), {
      pid: UNUSED_PID,
      sessionId: SESSION,
      cwd: '/another/folder',
    })
    const before = [listing(user.home), listing(user.base)]
    await notesOf('a')
    expect([listing(user.home), listing(user.base)]).toEqual(before)
  })
})

test('a snapshot of the user’s living claude stays, although a process of the agent names it', async () => {
  const program = path.join(rig.folder, 'claude')
  fs.copyFileSync('/bin/sleep', program)
  const mine = rig.start(program, ['1000'])
  await until('it runs', () => isRunning(mine))
  await user.waitPastClockSkew()
  const snapshot = path.join(user.claude, `shell-snapshots/snapshot-bash-${Date.now()}-x.sh`)
  const claude = `export HOME=${user.home}; echo '{"session_id":"${SESSION}"}'
    bash -c 'source ${snapshot} && echo ready; sleep 1000 & wait'`
  user.write(snapshot, '')
  await user.deploy('a', SESSION, { claude })
  // Born in the agent's life: the user's claude runs its first command now.
  fs.rmSync(snapshot)
  user.write(snapshot, '')
  expect(await notesOf('a')).toMatch(
    /snapshot-bash-\S+, unless its claude removes it: nothing in it says whether/,
  )
  expect(fs.existsSync(snapshot)).toBe(true)
})

test('a snapshot that a process of the agent names goes beside a living claude whose command names another one', async () => {
  const program = path.join(rig.folder, 'claude')
  fs.copyFileSync('/bin/bash', program)
  const snapshotOf = (name: string) =>
    user.write(path.join(user.claude, `shell-snapshots/snapshot-bash-${Date.now()}-${name}.sh`), '')
  const theirs = snapshotOf('theirs')
  const tool = `bash -c 'source ${theirs} && sleep 1000; true'`
  const mine = rig.start(program, ['-c', `${tool} & wait`])
  await until('it runs', () => isRunning(mine))
  await user.waitPastClockSkew()
  const named = path.join(user.claude, `shell-snapshots/snapshot-bash-${Date.now()}-x.sh`)
  user.write(named, '')
  const claude = `export HOME=${user.home}; echo '{"session_id":"${SESSION}"}'
    bash -c 'source ${named} && echo ready; sleep 1000 & wait'`
  await user.deploy('a', SESSION, { claude })
  fs.rmSync(named)
  user.write(named, '')
  await notesOf('a')
  expect(fs.existsSync(named)).toBe(false)
  expect(fs.existsSync(theirs)).toBe(true)
})

test('files of the user’s living claude stay, also where the agent names its places by another path', async () => {
  const program = path.join(rig.folder, 'claude')
  fs.copyFileSync('/bin/sleep', program)
  const [home, base] = [path.join(rig.folder, 'home-too'), path.join(rig.folder, 'base-too')]
  fs.symlinkSync(user.home, home)
  fs.symlinkSync(user.base, base)
  const claude = `export HOME=${home} CLAUDE_CODE_TMPDIR=${base}; echo '{"session_id":"${SESSION}"}'; ${program} 1000 & echo ready; wait`
  await user.deploy('a', SESSION, { claude })
  const mine = spawn(program, ['1000'], { cwd: rig.folder, stdio: 'ignore' })
  try {
    await until('it runs', () => mine.pid !== undefined && isRunning(mine.pid))
    user.write(path.join(user.claude, `shell-snapshots/snapshot-bash-${Date.now()}-x.sh`), '')
    user.write(path.join(user.base, 'claude-abcd-cwd'), rig.folder)
    const before = [listing(user.home), listing(user.base)]
    expect(await notesOf('a')).toMatch(
      /snapshot-bash-\S+, unless its claude removes it: nothing in it says whether/,
    )
    expect([listing(user.home), listing(user.base)]).toEqual(before)
  } finally {
    mine.kill('SIGKILL')
  }
})

describe('a link', () => {
  test.each(['.claude', '.claude/sessions', '.claude/tasks', '.claude/teams'])(
    '%s leads nowhere',
    async name => {
      await user.deploy('a')
      user.writeSession(SESSION, 'mine')
      for (const ending of ['json', 'abc.key'])
        user.write(path.join(user.claude, `sessions/${UNUSED_PID}.${ending}`), {
          pid: UNUSED_PID,
          sessionId: SESSION,
        })
      // Everything of the agent's would seem to lie in a folder of the user's.
      const there = path.join(user.home, name)
      fs.rmSync(decoy, { recursive: true })
      fs.renameSync(there, decoy)
      fs.symlinkSync(decoy, there)
      const before = listing(decoy)
      expect(await notesOf('a')).toContain(`${there} is a symbolic link, so what claude left behind it stays`)
      expect(listing(decoy)).toEqual(before)
    },
  )

  test.each(['', 'slug', `slug/${SESSION}`, `slug/${SESSION}/tasks`])(
    'claude-<uid>/%s leads nowhere',
    async name => {
      await user.deploy('a')
      const files = user.writeSession(SESSION, 'mine')
      const there = path.join(user.temporary, name)
      fs.rmSync(decoy, { recursive: true })
      fs.renameSync(there, decoy)
      fs.symlinkSync(decoy, there)
      const before = listing(decoy)
      await notesOf('a')
      expect(listing(decoy)).toEqual(before)
      expect(files.filter(file => fs.existsSync(file)).length).toBeLessThan(files.length)
    },
  )

  test('in a team’s folder is removed as a link, and a team’s folder that is a link stays', async () => {
    await user.deploy('a')
    user.writeTeam(SESSION, 'mine')
    user.write(path.join(decoy, 'config.json'), { leadSessionId: SESSION })
    fs.symlinkSync(decoy, path.join(user.claude, 'teams/mine/link'))
    fs.symlinkSync(decoy, path.join(user.claude, 'teams/linked'))
    const before = listing(decoy)
    await notesOf('a')
    expect(listing(decoy)).toEqual(before)
    expect(fs.readdirSync(path.join(user.claude, 'teams'))).toEqual(['linked'])
  })
})

test('files that a registry lists as left are ignored, and the list is gone from it afterwards', async () => {
  const ref = await user.deploy('a')
  await user.waitPastClockSkew()
  const files = [
    user.write(path.join(user.claude, 'shell-snapshots/snapshot-bash-1-mine.sh')),
    user.write(path.join(user.temporary, 'slug', SESSION.replace('1', '2'), 'tasks/mine.output')),
    user.write(path.join(decoy, 'claude-abcdef-cwd'), rig.folder),
    user.write(path.join(decoy, `.claude/sessions/${UNUSED_PID}.json`), {
      pid: UNUSED_PID,
      sessionId: SESSION,
    }),
    user.write(path.join(decoy, `.claude/shell-snapshots/snapshot-bash-${Date.now()}-a.sh`)),
  ]
  const residue = { homes: [decoy], bases: [decoy], claudes: [[UNUSED_PID, Date.now()]], files }
  await updateAgent(ref, entry => {
    entry.cleanup = { state: 'pending', since: '', reason: '', ...{ residue } }
  })
  const before = [listing(user.home), listing(user.base), listing(decoy)]
  await notesOf('a')
  expect([listing(user.home), listing(user.base), listing(decoy)]).toEqual(before)
  expect(rig.entry(ref).cleanup).not.toHaveProperty('residue')
})

describe('another user', () => {
  test('makes claude-<uid> for a uid that is not ours', async () => {
    await user.deploy('a')
    const folder = path.join(user.base, `claude-${ANOTHER}`, 'slug')
    user.write(path.join(decoy, 'mine'))
    user.write(path.join(decoy, 'tasks/fg.output'))
    fs.mkdirSync(folder, { recursive: true })
    fs.symlinkSync(decoy, path.join(folder, SESSION))
    if (isRoot) fs.chownSync(folder, ANOTHER, ANOTHER)
    const before = listing(decoy)
    await notesOf('a')
    expect(listing(decoy)).toEqual(before)
  })

  test('makes claude-<uid> for our uid', async () => {
    needs('root rights', isRoot)
    await user.deploy('a')
    user.writeSession(SESSION, 'mine')
    fs.chownSync(user.temporary, ANOTHER, ANOTHER)
    const before = listing(user.base)
    expect(await notesOf('a')).toContain(`belongs to user ${ANOTHER}`)
    expect(listing(user.base)).toEqual(before)
  })

  test('has a process that carries the marker and names our folders', async () => {
    needs('root rights', isRoot)
    const ref = await user.deploy('a')
    user.write(path.join(decoy, `claude-${process.geteuid?.()}/slug`, SESSION, 'note'))
    user.writeTeam(SESSION, 'mine', path.join(decoy, '.claude'))
    const env = { ...process.env, LEAKRIG_AGENT: agentMarker(ref), HOME: decoy, CLAUDE_CODE_TMPDIR: decoy }
    spawn('sleep', ['1000'], { env, uid: ANOTHER, gid: ANOTHER, stdio: 'ignore', detached: true })
    await until('it runs', () => rig.processesOf(ref).length > 4)
    const before = listing(decoy)
    await cleanUp(ref, terminated)
    expect(listing(decoy)).toEqual(before)
  })
})

test('FIFOs, huge files and deep JSON in the places of claude’s files do not hold up a cleanup, and stay', async () => {
  const ref = await user.deploy('a')
  const sessions = path.join(user.claude, 'sessions')
  const team = path.join(user.claude, 'teams/fifo')
  for (const folder of [sessions, team]) fs.mkdirSync(folder, { recursive: true })
  for (const fifo of [
    path.join(sessions, `${UNUSED_PID}.json`),
    path.join(team, 'config.json'),
    path.join(user.base, 'claude-ff00-cwd'),
  ])
    spawnSync('mkfifo', [fifo])
  fs.truncateSync(user.write(path.join(user.base, 'claude-ff01-cwd'), rig.folder), 2 ** 31 - 4096)
  const deep = '{"a":'.repeat(100_000)
  user.write(path.join(sessions, `${UNUSED_PID + 1}.json`), deep)
  user.write(path.join(user.claude, 'teams/deep/config.json'), deep)
  const before = [listing(user.home), listing(user.base)]
  const { report } = await runCleaner(rig, ref)
  expect(report).toMatchObject({ outcome: 'clean', problems: [] })
  expect([listing(user.home), listing(user.base)]).toEqual(before)
})
