import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cgroupName } from '../../containment/recorded.ts'
import { claimsFor, measure } from '../../index.ts'
import { updateAgent } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { Daemon } from '../support/daemon.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

/*
 * The orchestrator calls its workspace by a link, so the link stands in every marker. A command resolves it.
 */

/** Something that only the marker ties to the agent. */
const claude =
  'env -u TMUX -u TMUX_PANE setsid bash -c "echo \\$\\$ > stray.pid; trap : HUP; while :; do sleep 1; done" >/dev/null 2>&1 & echo ready; sleep 1000 & wait'

let rig: Rig
let real: string
beforeEach(async () => {
  rig = await Rig.start()
  real = path.join(rig.folder, 'disk', 'data')
  fs.mkdirSync(path.dirname(real))
  fs.renameSync(rig.workspace, real)
  fs.symlinkSync('disk/data', rig.workspace)
})
afterEach(() => rig[Symbol.asyncDispose]())

describe('an agent of a workspace that was called by a link', () => {
  test('is claimed by its marker, whichever way one comes', async () => {
    const ref = await rig.deploy('a', { claude })
    const stray = await rig.pid('stray')
    for (const workspace of [rig.workspace, real]) {
      const { claimed } = await claimsFor({ ...ref, workspace })
      expect(claimed.find(({ process }) => process.pid === stray)?.evidence).toContainEqual({
        kind: 'marker',
        detail: `LEAKRIG_AGENT=${rig.workspace}/TASK-1/a`,
      })
    }
  })

  test('is not claimed where a namesake of another workspace is meant', async () => {
    await rig.deploy('a', { claude })
    const stray = await rig.pid('stray')
    const other = path.join(rig.folder, 'other')
    fs.cpSync(real, other, { recursive: true })
    const { claimed } = await claimsFor({ ...rig.ref('a'), workspace: other })
    expect(claimed.map(({ process }) => process.pid)).not.toContain(stray)
  })

  test('is swept, with everything that it started, also where its paths were recorded from beside the link', async () => {
    const prompt_file = '.agent-workspace/TASK-1/agent_prompt_a.txt'
    const ref = await rig.deploy('a', { claude, entry: { prompt_file } })
    await rig.pid('stray')
    await updateAgent(ref, entry => Object.assign(entry, { status: 'completed' }))
    const { code, out, err } = leakrig(['sweep', real, '--apply', '--grace', '1'])
    expect(out + err).not.toMatch(/refused/)
    expect(code).toBe(0)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('is cleaned up by a daemon', async () => {
    const ref = await rig.deploy('a', { claude })
    await rig.pid('stray')
    const daemon = await Daemon.start(rig)
    rig.tmux('kill-session', '-t', '=agent_a:')
    await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(await daemon.stop()).toBe(0)
  })

  test('is measured as one of ours: what is left of it when it is done, and its session', async () => {
    const done = await rig.deploy('done', { claude })
    const stray = await rig.pid('stray')
    const live = await rig.deploy('live', { claude: 'echo ready; sleep 1000 & wait' })
    rig.newSession(rig.ref('nobody'), { claude: '' }, ['sleep', '1000'])
    rig.tmux('kill-session', '-t', '=agent_done:')
    await updateAgent(done, entry =>
      Object.assign(entry, { status: 'completed', cleanup: { state: 'done', since: '', reason: '' } }),
    )
    for (const workspace of [rig.workspace, real]) {
      const { processes, sessions } = await measure([workspace])
      expect(processes?.leftovers.map(({ pid }) => pid)).toContain(stray)
      expect(processes?.leftovers.filter(({ why }) => why.endsWith(live.agentId))).toEqual([])
      expect(sessions).toMatchObject({ active: 1, leftover: [{ name: 'agent_nobody' }] })
    }
  })
})

test('a cgroup has one name, whichever way one comes', () => {
  expect(cgroupName(rig.ref('a'))).toBe(cgroupName({ ...rig.ref('a'), workspace: real }))
})
