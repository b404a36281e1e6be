import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addTask, agentMarker, initRegistries, layout } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { isRunning, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

/* `sweep --session NAME` for a session that it may not remove says what, where, why, and what helps. Nothing is done. */

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
let other: string
beforeEach(async () => {
  rig = await Rig.start()
  other = `${rig.folder}/other/.agent-workspace`
  await initRegistries(other)
  await addTask(other, { task_id: 'T' })
})
afterEach(() => rig[Symbol.asyncDispose]())

const sweep = (name: string, ...more: string[]) =>
  leakrig(['sweep', rig.workspace, '--apply', '--grace', '1s', '--session', name, ...more])
const quoted = (name: string) => `The session "${name}" \\(\\$\\d+ on ${rig.socket}\\)`

/** Deploys an agent of another workspace, which that does not list, and of which only the log, or only the marker, shows whose it is. */
async function deployOther(agentId: string, marker: boolean): Promise<void> {
  const ref = { workspace: other, taskId: 'T', agentId }
  const writer = marker ? `tee ${rig.folder}/${agentId}.txt` : `tee ${layout.streamLog(ref)}`
  rig.newSession(ref, { claude: idle, writer, marker })
  const log = marker ? `${rig.folder}/${agentId}.txt` : layout.streamLog(ref)
  await until('it writes', () => readText(log).includes('ready'))
}

describe('refused, with exit code 2', () => {
  test.each([
    [
      '',
      /^leakrig: --session "" is refused: expected a name; an empty one is refused, because a variable may be unset\.$/,
    ],
    [
      'agent_unknown',
      /^leakrig: There is no session "agent_unknown" on .*; give the exact name .*--socket-name/,
    ],
  ])('a name that nothing has: %j', (name, why) => {
    expect(sweep(name)).toEqual({ code: 2, out: '', err: expect.stringMatching(why) })
  })

  test('a young session, with the option that helps', () => {
    rig.tmux('new-session', '-d', '-s', 'agent_new', 'sleep 1000')
    const why = `${quoted('agent_new')} is left alone: it is younger than --min-age .*"--min-age 0s"`
    expect(sweep('agent_new')).toEqual({ code: 2, out: '', err: expect.stringMatching(why) })
    expect(rig.sessions()).toContain('agent_new')
    expect(sweep('agent_new', '--min-age', '0s')).toMatchObject({ code: 0, err: '' })
    expect(rig.sessions()).toEqual(['user'])
  })

  test.each([true, false])(
    'a session of another workspace (by its marker: %s), which a sweep of that ends',
    async marker => {
      await deployOther('far', marker)
      const tie = marker ? `carries LEAKRIG_AGENT=${other}` : `writes ${other}`
      const why = `${quoted('agent_far')} belongs to the workspace ${other}: .*${tie}.*"leakrig sweep ${other}"`
      expect(sweep('agent_far', '--min-age', '0s')).toEqual({
        code: 2,
        out: '',
        err: expect.stringMatching(why),
      })
      expect(rig.sessions()).toContain('agent_far')
      // In one command, it is the other's sweep that ends it.
      expect(sweep('agent_far', '--min-age', '0s', other)).toMatchObject({ code: 0, err: '' })
      expect(rig.sessions()).toEqual(['user'])
    },
  )

  test('a listed agent’s', async () => {
    await rig.deploy('a', { claude: idle })
    const why = `${quoted('agent_a')} is that of the agent TASK-1/a, which a registry of`
    expect(sweep('agent_a', '--min-age', '0s')).toEqual({ code: 2, out: '', err: expect.stringMatching(why) })
  })

  test('one that several servers have, with the option that helps', () => {
    const socket = `${rig.folder}/work`
    const named = ['--min-age', '0s', '--socket-path', socket]
    rig.tmux('new-session', '-d', '-s', 'agent_twice', 'sleep 1000')
    rig.tmux('-f', '/dev/null', '-S', socket, 'new-session', '-d', '-s', 'agent_twice', 'sleep 1000')
    const found = sweep('agent_twice', ...named)
    expect(found).toMatchObject({ code: 2, out: '' })
    expect(found.err).toMatch(
      /^leakrig: The session "agent_twice" is on 2 tmux servers .* Nothing was done\.$/,
    )
    for (const one of [rig.socket, socket]) expect(found.err).toMatch(` on ${one}`)
    const sessionsThere = () => rig.tmux('-S', socket, 'list-sessions', '-F', '#{session_name}')
    expect([rig.sessions().sort(), sessionsThere()]).toEqual([['agent_twice', 'user'], 'agent_twice'])
    expect(sweep(`${rig.socket}:agent_twice`, ...named)).toMatchObject({ code: 0, err: '' })
    expect([rig.sessions(), sessionsThere()]).toEqual([['user'], 'agent_twice'])
  })

  test('one on a server that nothing ties to the workspace, with the option that helps', () => {
    const socket = `${rig.folder}/work`
    rig.tmux('run-shell', `tmux -f /dev/null -S ${socket} new-session -d -s agent_there "sleep 1000"`)
    const found = sweep('agent_there', '--min-age', '0s')
    expect(found).toMatchObject({ code: 2, out: '' })
    expect(found.err).toMatch(`is on the tmux server ${socket}, and nothing ties that to ${rig.workspace}`)
    const [, path = ''] = /"--socket-path (\S+)"/.exec(found.err) ?? []
    expect(sweep('agent_there', '--min-age', '0s', '--socket-path', path)).toMatchObject({ code: 0, err: '' })
  })
})

test('one of another name is refused, with the command that ends it', () => {
  const { code, err } = sweep('user', '--min-age', '0s')
  expect([code, err]).toEqual([
    2,
    expect.stringMatching(/a sweep removes no other; "tmux -S \S+ kill-session -t '\$\d+'" does\./),
  ])
  expect(rig.sessions()).toContain('user')
})

test('while a registry cannot be read, the exit code is 3, and the session stays', () => {
  rig.tmux('new-session', '-d', '-s', 'agent_left', 'sleep 1000')
  fs.writeFileSync(layout.taskRegistry(rig.workspace, 'TASK-1'), '{')
  const { code, err } = sweep('agent_left', '--min-age', '0s')
  expect([code, err]).toEqual([
    3,
    expect.stringMatching(/Whether the session "agent_left" is listed is not known: .*AGENT_REGISTRY/),
  ])
  expect(rig.sessions()).toContain('agent_left')
})

test('a live agent of another workspace is counted nowhere, and stays, with and without --orphans', async () => {
  await deployOther('far', true)
  await deployOther('near', false)
  rig.tmux('new-session', '-d', '-s', 'agent_left', 'sleep 1000')
  for (const more of [[], ['--orphans', '--apply']]) {
    const swept = leakrig(['sweep', rig.workspace, '--min-age', '0s', '--grace', '1s', ...more])
    expect(swept.out).toMatch(
      /^.* 1 unlisted\n(?:.*\n)* {2}2 sessions belong to the workspace .*agent_far .*agent_near /,
    )
    expect(swept.out).not.toMatch(/leftover, left alone: .*(?:agent_\*|\/other\/)/)
  }
  const status = leakrig(['status', rig.workspace]).out
  expect(status).toMatch(/ 0 leftover\n {4}2 sessions belong to the workspace .*agent_far .*agent_near /)
  expect(status).not.toMatch(/: in a session named agent_\*/)
  expect(rig.sessions().sort()).toEqual(['agent_far', 'agent_near', 'user'])
})

test.each([true, false])(
  'a workspace that was removed and made again: its earlier agents are unlisted, whose logs were deleted (marker: %s)',
  async marker => {
    const ref = await rig.deploy('earlier', { claude: idle, marker })
    fs.rmSync(rig.workspace, { recursive: true })
    await initRegistries(rig.workspace)
    await addTask(rig.workspace, { task_id: 'TASK-1' })
    for (const more of [[], [], ['--orphans', '--apply']]) {
      const { out } = leakrig(['sweep', rig.workspace, '--min-age', '0s', '--grace', '1s', ...more])
      expect(out).toMatch(/^.* 1 unlisted\n(?:.*\n)* {2}session agent_earlier .* is removed/)
      expect(out).not.toMatch(/leftover, left alone: .*(?:agent_\*|\/earlier)/)
    }
    expect(rig.sessions()).toEqual(['user'])
    expect(rig.processesOf(ref)).toEqual([])
  },
)

test('a leftover that --orphans does not end has the reason', async () => {
  rig.tmux('set-environment', '-g', 'LEAKRIG_AGENT', agentMarker(rig.ref('gone')))
  rig.tmux('new-window', '-d', '-t', '=user:', `echo $$ >${rig.folder}/users.pid; exec sleep 1000`)
  const pid = await rig.pid('users')
  const { out } = leakrig(['sweep', rig.workspace, '--min-age', '0s', '--orphans', '--apply'])
  expect(out).toMatch(
    new RegExp(`leftover, left alone: \\w+ ${pid}: LEAKRIG_AGENT=.*; its marker alone is not enough`),
  )
  expect(isRunning(pid)).toBe(true)
})

test('an agent that starts processes all the time is not young for ever', async () => {
  const marker = agentMarker(rig.ref('gone'))
  const pid = rig.start('bash', ['-c', 'sleep 1; while sleep 0.01; do :; done'], { LEAKRIG_AGENT: marker })
  await until('it is a second old', () => {
    const found = leakrig(['sweep', rig.workspace, '--min-age', '1s'])
    return found.out.includes('only with --orphans')
  })
  for (let n = 0; n < 3; n++) {
    const { out } = leakrig(['sweep', rig.workspace, '--min-age', '1s'])
    expect(out).toMatch(/^.* 1 unlisted\n(?:.*\n)* {2}processes of agent .*\/gone .* only with --orphans\n/)
    expect(out).toContain(`bash ${pid} `)
  }
})
