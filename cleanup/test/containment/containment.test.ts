/** @module-tag tools */

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { inCgroup } from '../../containment/in-cgroup.ts'
import { type AgentRef, claimsFor, cleanUp } from '../../index.ts'
import { addAgent, contain, findProgram, layout, updateAgent } from '../../orchestrator.ts'
import { membersOf, ownCgroup } from '../../platform/processes/cgroup.ts'
import { canCreateCgroups } from '../support/can-create-cgroups.ts'
import { Daemon } from '../support/daemon.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }

const hasTini = findProgram('tini') !== undefined

/** A daemon that nothing but what contains it ties to anybody. */
const lost = (name: string, variables = '') =>
  `(setsid env -i ${variables} /bin/bash -c 'cd /; echo $$ >'$PWD'/${name}.pid; exec sleep 1000' </dev/null >/dev/null 2>&1 &)`
const claude = `echo $$ >claude.pid; ${lost('lost')}; until [ -s lost.pid ]; do sleep 0.01; done; echo ready; exec sleep 1000`

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(async () => {
  delete process.env.LEAKRIG_CONTAINMENT
  await rig[Symbol.asyncDispose]()
})

const kinds = async (ref: AgentRef, pid: number) =>
  (await claimsFor(ref)).claimed.find(({ process }) => process.pid === pid)?.evidence.map(({ kind }) => kind)

describe('a subreaper', () => {
  needs('tini on the PATH', hasTini)

  beforeEach(() => {
    process.env.LEAKRIG_CONTAINMENT = 'tini'
  })

  test('holds a daemon with an emptied environment, and no other process', async () => {
    const ref = await rig.deploy('a', { claude, contained: true })
    const other = await rig.deploy('b', { claude: claude.replaceAll('lost', 'others'), contained: true })
    const [own, others] = [await rig.pid('lost'), await rig.pid('others')]
    const bystander = rig.start('env', ['-i', 'sleep', '1000'])
    expect(rig.entry(ref).contained).toMatchObject({ by: 'tini' })
    expect(await kinds(ref, own)).toEqual(['subreaper'])
    expect(await kinds(ref, others)).toBeUndefined()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect([own, others, bystander].map(isRunning)).toEqual([false, true, true])
    expect(fs.existsSync(layout.adoptedChildrenFile(ref))).toBe(false)
    await cleanUp(other, completed)
    expect(isRunning(others)).toBe(false)
  })

  test.each<[string, (ref: AgentRef) => Promise<unknown>]>([
    ['claude crashes', async () => kill(await rig.pid('claude'))],
    ['the pane’s process is killed', async ref => kill(rig.entry(ref).tmux?.pane_pid ?? 0)],
    ['the session is killed', async ref => rig.tmux('kill-session', '-t', `=agent_${ref.agentId}:`)],
    ['the server is killed', async ref => kill(rig.entry(ref).tmux?.server_pid ?? 0)],
  ])('that ended because %s', async (_, end) => {
    const other = await rig.deploy('b', { claude: claude.replaceAll('lost', 'others'), contained: true })
    const ref = await rig.deploy('a', { claude, contained: true })
    const own = await rig.pid('lost')
    const { pid } = rig.entry(ref).contained as { pid: number }
    await end(ref)
    await until('the subreaper has ended', () => !isRunning(pid))
    expect(await kinds(ref, own)).toEqual(['subreaper'])
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect([own, await rig.pid('others')].map(isRunning)).toEqual([false, true])
    expect(fs.existsSync(layout.adoptedChildrenFile(ref))).toBe(false)
    await cleanUp(other, completed)
  })

  test('that ended: also a daemon with no more than what every program needs', async () => {
    const nearly = claude.replace(lost('lost'), () => lost('lost', 'PATH="$PATH" HOME=/root LANG=C'))
    const ref = await rig.deploy('a', { claude: nearly, contained: true })
    const own = await rig.pid('lost')
    const { pid } = rig.entry(ref).contained as { pid: number }
    kill(await rig.pid('claude'))
    await until('the subreaper has ended', () => !isRunning(pid))
    expect(await kinds(ref, own)).toEqual(['subreaper'])
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect(isRunning(own)).toBe(false)
  })

  test('that is killed itself: the daemon has recorded its processes', async () => {
    const daemon = await Daemon.start(rig)
    const ref = await rig.deploy('a', { claude, contained: true })
    const own = await rig.pid('lost')
    await until('it is noted', () => fs.existsSync(layout.adoptedChildrenFile(ref)))
    kill((rig.entry(ref).contained as { pid: number }).pid)
    await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
    expect(isRunning(own)).toBe(false)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    await daemon.stop()
  })

  test('passes on the exit status, and the terminal', async () => {
    const ref = rig.ref('a')
    const file = path.join(rig.folder, 'said')
    const tty = `tty >${file}; [ -t 0 ] && ps -o tpgid=,pgid= -p $$ >>${file}`
    const { command } = contain(ref, `${tty}; (exit 7)`)
    rig.tmux('set-option', '-g', 'remain-on-exit', 'on')
    const pane = rig.tmux('new-session', '-d', '-P', '-F', '#{pane_id}', '--', ...command)
    const status = () => rig.tmux('display-message', '-p', '-t', pane, '#{pane_dead} #{pane_dead_status}')
    // tmux 3.3a closes a dead pane's terminal first, and can miss the signal of its child meanwhile: it then learns how
    // the pane ended at the next end of another child of its own.
    await until('it has ended with 7', () => {
      rig.tmux('run-shell', 'true')
      return status() === '1 7'
    })
    const [terminal, groups = ''] = fs.readFileSync(file, 'utf8').trim().split('\n')
    expect(terminal).toMatch(/^\/dev\/pts\//)
    const [foreground, own] = groups.trim().split(/ +/)
    expect(foreground).toBe(own)
  })

  test('a recorded process that is older than the agent, or has another start time, is ignored', async () => {
    const older = rig.start('sleep', ['1000'])
    // The kernel tells when a process started to a hundredth of a second.
    await until('what starts now is younger', () => os.uptime() * 100 > startOfNow(older) + 1)
    const ref = await rig.deploy('a', { claude, contained: true })
    const younger = rig.start('sleep', ['1000'])
    const lines = [older, younger].map(pid => `${pid} ${pid === older ? startOfNow(pid) : 99_999_999_999}`)
    fs.writeFileSync(layout.adoptedChildrenFile(ref), ['junk', ...lines, '1 0', ''].join('\n'))
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect([older, younger].map(isRunning)).toEqual([true, true])
  })
})

test('a cgroup that the pane may not enter is replaced by the subreaper', async () => {
  needs('tini on the PATH', hasTini)
  process.env.LEAKRIG_CONTAINMENT = 'tini'
  const ref = rig.ref('a')
  const pipeline = rig.pipeline(ref, { claude })
  const launch = inCgroup(path.join(rig.folder, 'none'), pipeline, contain(ref, pipeline))
  const tmux = rig.newSession(ref, { claude }, launch.command)
  const contained = await launch.confirm(tmux.pane_pid)
  expect(contained).toMatchObject({ by: 'tini' })
  await addAgent(ref, { status: 'running', tmux, ...(contained && { contained }) })
  const own = await rig.pid('lost')
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(isRunning(own)).toBe(false)
})

describe('a cgroup', () => {
  needs('cgroup that we may write', canCreateCgroups)

  beforeEach(() => {
    process.env.LEAKRIG_CONTAINMENT = 'cgroup'
  })

  test('holds a daemon with an emptied environment, even after everything else is gone', async () => {
    const ref = await rig.deploy('a', { claude, contained: true })
    const other = await rig.deploy('b', { claude: claude.replaceAll('lost', 'others'), contained: true })
    const folder = (rig.entry(ref).contained as { path: string }).path
    const [own, others] = [await rig.pid('lost'), await rig.pid('others')]
    rig.tmux('kill-session', '-t', '=agent_a:')
    await until('its pane is gone', () => !isRunning(rig.entry(ref).tmux?.pane_pid ?? 0))
    expect(membersOf(folder)).toContain(own)
    expect(await kinds(ref, own)).toContain('cgroup')
    expect(await cleanUp(ref, completed)).toMatchObject({
      outcome: 'clean',
      removed: expect.arrayContaining([folder]),
    })
    expect([own, others].map(isRunning)).toEqual([false, true])
    expect(fs.existsSync(folder)).toBe(false)
    await cleanUp(other, completed)
  })

  test('that a registry names, but that belongs to another agent', async () => {
    const ref = await rig.deploy('a', { claude, contained: true })
    const other = await rig.deploy('b', { claude: claude.replaceAll('lost', 'others'), contained: true })
    const { contained } = rig.entry(other)
    const mine = (rig.entry(ref).contained as { path: string }).path
    for (const foreign of [contained, { by: 'cgroup', path: ownCgroup() ?? '' } as const]) {
      await updateAgent(ref, entry => Object.assign(entry, { contained: foreign }))
      expect(await kinds(ref, await rig.pid('others'))).toBeUndefined()
      expect(await kinds(ref, process.pid)).toBeUndefined()
    }
    await updateAgent(ref, entry => Object.assign(entry, { contained: { by: 'cgroup', path: mine } }))
    await cleanUp(ref, completed)
    await cleanUp(other, completed)
    expect(fs.existsSync(mine)).toBe(false)
  })
})

function startOfNow(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
}
