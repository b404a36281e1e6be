import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { type AgentRef, claimsFor, cleanUp, measure } from '../../index.ts'
import { detectEnd } from '../../liveness/detect-end.ts'
import { addAgent, agentMarker, layout, thisWorld, updateAgent } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { Daemon, runDaemonProgram } from '../support/daemon.ts'
import { canMount, MountNamespace } from '../support/mount-namespace.ts'
import { isRunning, NO_TRACES, Rig, traces } from '../support/rig.ts'

/*
 * One workspace has several real paths: bind mounts, here or in a mount namespace of the agents, and the path that it had
 * before somebody moved it.
 */

/** Something that only the marker ties to the agent. */
const claude =
  'env -u TMUX -u TMUX_PANE setsid bash -c "echo \\$\\$ > stray.pid; trap : HUP; while :; do sleep 1; done" >/dev/null 2>&1 & echo ready; sleep 1000 & wait'
const completed = { status: 'completed', reason: 'it said so' }

needs('permission to mount', canMount)

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** The paths that our own orchestrator records. */
const paths = (ref: AgentRef) => ({
  prompt_file: layout.promptFile(ref),
  log_file: layout.streamLog(ref),
  deploy_log: layout.deployLog(ref),
})

/** Deploys an agent whose orchestrator knows the workspace by its usual path. */
const deploy = (id: string, more: object = {}) =>
  rig.deploy(id, { claude, entry: paths(rig.ref(id)), ...more })

/** Mounts the workspace at a second path for the time of a test. */
function bound(name = 'bound'): string & Disposable {
  const at = path.join(rig.folder, name)
  fs.mkdirSync(at)
  execFileSync('mount', ['--bind', rig.workspace, at])
  return Object.assign(new String(at), {
    [Symbol.dispose]: () => void execFileSync('umount', ['-l', at]),
  }) as unknown as string & Disposable
}

describe('a workspace that is mounted at a second path', () => {
  test.each([true, false])('is swept by that one while the agent lives: recorded %s', async recorded => {
    using mount = bound()
    const at = String(mount)
    const ref = await deploy('a', { recorded })
    const stray = await rig.pid('stray')
    const there = { ...ref, workspace: at }
    expect(await detectEnd(there, rig.entry(ref))).toBeUndefined()
    expect(leakrig(['sweep', at, '--apply', '--min-age', '0s'])).toMatchObject({ code: 0 })
    expect(rig.entry(ref).status).toBe('running')
    expect(leakrig(['sweep', at, rig.workspace, '--json']).out.match(/"tasks"/g)).toHaveLength(1)
    const { claimed } = await claimsFor(there)
    expect(claimed.find(({ process }) => process.pid === stray)?.evidence).toContainEqual({
      kind: 'marker',
      detail: `LEAKRIG_AGENT=${agentMarker(ref)}`,
    })
    expect(claimed.flatMap(({ evidence }) => evidence.map(({ kind }) => kind))).toContain('log')
    await updateAgent(ref, entry => Object.assign(entry, { status: 'completed' }))
    expect(leakrig(['sweep', at, '--apply', '--grace', '1s'])).toMatchObject({ code: 0 })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(isRunning(stray)).toBe(false)
  })

  test('an agent of another orchestrator lives, whose session is renamed', async () => {
    using mount = bound()
    const ref = await deploy('a', { recorded: false })
    rig.tmux('rename-session', '-t', '=agent_a:', 'another')
    expect(await detectEnd({ ...ref, workspace: String(mount) }, rig.entry(ref))).toBeUndefined()
  })

  test('is measured as one, with its leftovers', async () => {
    using mount = bound()
    const ref = await deploy('a')
    const stray = await rig.pid('stray')
    rig.tmux('kill-session', '-t', '=agent_a:')
    await updateAgent(ref, entry =>
      Object.assign(entry, { status: 'completed', cleanup: { state: 'done', since: '', reason: '' } }),
    )
    const { processes } = await measure([String(mount)])
    expect(processes?.leftovers.map(({ pid }) => pid)).toContain(stray)
  })

  test('has one daemon', async () => {
    using mount = bound()
    const daemon = await Daemon.start(rig)
    expect(await runDaemonProgram([String(mount)])).toMatchObject({ code: 3 })
    expect(await daemon.stop()).toBe(0)
  })

  test('through a link too', async () => {
    using mount = bound()
    const link = path.join(rig.folder, 'link')
    fs.symlinkSync(String(mount), link)
    const ref = await deploy('a')
    expect(await cleanUp({ ...ref, workspace: link }, completed)).toMatchObject({ outcome: 'clean' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

test('agents that have the workspace at another path, in a mount namespace of their own', async () => {
  const inside = path.join(rig.folder, 'inside')
  using namespace = await MountNamespace.make(rig, `mkdir ${inside}; mount --bind ${rig.workspace} ${inside}`)
  // A server there, which the machine reaches by its socket; it opens the log by the path inside.
  const known = { ...rig.ref('a'), workspace: inside }
  const socket = path.join(rig.folder, 'inner')
  execFileSync(namespace.nsenter[0] ?? '', [
    ...namespace.nsenter.slice(1),
    ...['tmux', '-f', '/dev/null', '-S', socket, 'new-session', '-d', '-s', 'keep', 'sleep 1000'],
  ])
  const script = rig.pipeline(known, { claude })
  const ref = rig.ref('a')
  rig.writeFiles(ref)
  const tmux = rig.newSession(known, { claude, socket }, ['bash', '-c', script])
  await addAgent(ref, {
    ...{ status: 'running', tmux_session: 'agent_a', started_at: new Date().toISOString() },
    ...{ tmux, deployed_on: thisWorld(), ...paths(known) },
  })
  const stray = await rig.pid('stray')
  expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
  const { claimed } = await claimsFor(ref)
  expect(claimed.map(({ process }) => process.pid)).toContain(stray)
  expect(claimed.flatMap(({ evidence }) => evidence.map(({ kind }) => kind))).toContain('log')
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(isRunning(stray)).toBe(false)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

describe('a workspace that was moved while its agent lives', () => {
  const move = (ref: AgentRef): AgentRef => {
    const project = path.join(rig.folder, 'project')
    fs.mkdirSync(project)
    const workspace = path.join(project, path.basename(ref.workspace))
    fs.renameSync(ref.workspace, workspace)
    return { ...ref, workspace }
  }

  test.each([true, false])(
    'is swept, and cleaned up with what only the marker ties to it: recorded %s',
    async recorded => {
      const before = await deploy('a', { recorded })
      const stray = await rig.pid('stray')
      const ref = move(before)
      expect(leakrig(['sweep', ref.workspace, '--apply', '--min-age', '0s'])).toMatchObject({ code: 0 })
      expect(rig.entry(ref).status).toBe('running')
      const { claimed } = await claimsFor(ref)
      expect(claimed.map(({ process }) => process.pid)).toContain(stray)
      expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
      expect(isRunning(stray)).toBe(false)
      expect(rig.processesOf(before)).toEqual([])
      expect(fs.existsSync(layout.archived(ref, layout.streamLog(ref)))).toBe(true)
    },
  )
})

describe('what stays another workspace’s', () => {
  test('a marker of the same task and agent there, whatever the registry records', async () => {
    const other = path.join(rig.folder, 'other', path.basename(rig.workspace))
    const ref = await deploy('a')
    const stray = await rig.pid('stray')
    fs.mkdirSync(path.dirname(other))
    fs.cpSync(rig.workspace, other, { recursive: true })
    const { claimed } = await claimsFor({ ...ref, workspace: other }).catch(() => ({ claimed: [] }))
    expect(claimed.map(({ process }) => process.pid)).not.toContain(stray)
    await expect(cleanUp({ ...ref, workspace: other }, completed)).rejects.toMatchObject({
      code: 'outside-workspace',
    })
    expect(rig.entry(ref).status).toBe('running')
    expect(isRunning(stray)).toBe(true)
  })

  test('a marker with a path that is gone and that the entry does not record', async () => {
    const ref = await deploy('a')
    const gone = `${rig.folder}/gone/.agent-workspace/${ref.taskId}/a`
    const stranger = rig.start('sleep', ['1000'], {
      LEAKRIG_AGENT: gone,
      TMUX: undefined,
      TMUX_PANE: undefined,
    })
    const { claimed } = await claimsFor(ref)
    expect(claimed.map(({ process }) => process.pid)).not.toContain(stranger)
  })

  test('a recorded path that leads elsewhere', async () => {
    const ref = await deploy('a')
    for (const prompt_file of [
      '/etc/passwd',
      `/etc/${ref.taskId}/x`,
      `${rig.folder}/x/${ref.taskId}/../../etc/passwd`,
    ]) {
      await updateAgent(ref, entry => Object.assign(entry, { prompt_file }))
      await expect(cleanUp(ref, completed)).rejects.toMatchObject({ code: 'outside-workspace' })
    }
  })
})
