import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { observeUnlisted } from '../../claims/leftovers/unlisted-agents.ts'
import { agentMarker, layout } from '../../orchestrator.ts'
import { readMachine } from '../../platform/processes/table.ts'
import { describePlan, planSession } from '../../reaper/plan.ts'
import { removeUnlisted } from '../../sweep/unlisted.ts'
import { leakrig } from '../support/cli.ts'
import { fill } from '../support/fill.ts'
import { workspaceOnSmallDisk } from '../support/mount.ts'
import { isRunning, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

/* A stream log that was deleted with its task, and that only the processes of an agent hold which no task's registry lists. */

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const writes = `trap 'echo last; exit' TERM; echo ready; sleep 1000 & wait`
const sweep = (...args: string[]) => leakrig(['sweep', rig.workspace, '--min-age', '0s', ...args])

test('of a session: it is saved in the archive, which is made again, before its processes end', async () => {
  const ref = await rig.deploy('unlisted', { claude: writes })
  await until('its log has a line', () => readText(layout.streamLog(ref)) !== '')
  fs.rmSync(layout.taskFolder(ref.workspace, ref.taskId), { recursive: true })
  const planned = sweep('--orphans').out
  expect(planned).toMatch(/session agent_unlisted .* which no task’s registry lists, is removed/)
  expect(planned).toMatch(/unlisted_stream.jsonl \(deleted\) .* is saved in the archive/)
  expect(fs.existsSync(layout.taskFolder(ref.workspace, ref.taskId))).toBe(false)
  expect(sweep('--orphans', '--apply')).toMatchObject({ code: 0, out: expect.stringMatching(/clean: \d/) })
  expect(readText(layout.archived(ref, layout.streamLog(ref)))).toBe('ready\nlast\n')
  expect(rig.processesOf(ref)).toEqual([])
})

describe('of processes outside of a session', () => {
  /** A process with the marker of an agent of this workspace that holds its deleted log. */
  async function holder(workspace: string) {
    const ref = { ...rig.ref('unlisted'), workspace }
    const log = layout.streamLog(ref)
    fs.mkdirSync(path.dirname(log), { recursive: true })
    const script = `exec >>${log}; trap 'echo last; exit' TERM; echo ready; sleep 1000 & wait`
    const pid = rig.start('bash', ['-c', script], { LEAKRIG_AGENT: agentMarker(ref) })
    await until('its log has a line', () => readText(log) !== '')
    fs.rmSync(log)
    const plan = describePlan(planSession(await observeUnlisted(ref, await readMachine())))
    const remove = () =>
      removeUnlisted(
        rig.workspace,
        { sessions: [], processes: [{ agent: ref, ageMs: 0, plan }], prompts: [] },
        { graceMs: 1_000, minAgeMs: 0, named: [] },
      )
    return { ref, pid, plan, remove }
  }

  test('it is saved likewise', async () => {
    const { ref, pid, plan, remove } = await holder(rig.workspace)
    expect(plan).toMatchObject({ archive: [{ bytes: 6 }], loses: [] })
    expect(await remove()).toMatchObject({ outcome: 'clean', problems: [] })
    expect(readText(layout.archived(ref, layout.streamLog(ref)))).toBe('ready\nlast\n')
    expect(isRunning(pid)).toBe(false)
  })

  test('of a removed workspace: there is no place, so the plan and the result name what is lost', async () => {
    const workspace = path.join(rig.folder, 'gone', 'a-workspace')
    const { ref, pid, plan, remove } = await holder(workspace)
    fs.rmSync(path.dirname(workspace), { recursive: true })
    const now = describePlan(planSession(await observeUnlisted(ref, await readMachine())))
    expect(plan.end.map(one => one.pid)).toContain(pid)
    expect(now).toMatchObject({
      archive: [],
      loses: [expect.stringMatching(/was deleted with its workspace, .*: its 6 bytes, which only/)],
    })
    const result = await remove()
    expect(result.outcome).toBe('unfinished')
    expect(result.problems).toEqual([expect.stringMatching(/its 11 bytes, which only .* are lost with them/)])
    expect([isRunning(pid), fs.existsSync(workspace)]).toEqual([false, false])
  })

  test('on a full disk: the process that holds it is stopped and stays, until there is room', async ({
    skip,
  }) => {
    const mounted = await workspaceOnSmallDisk(rig)
    if (typeof mounted === 'string') return skip(mounted)
    using _ = mounted
    const { ref, pid, remove } = await holder(rig.workspace)
    const filler = path.join(rig.workspace, 'filler')
    fill(filler)
    expect(await remove()).toMatchObject({
      outcome: 'unfinished',
      problems: [expect.stringMatching(/could not be saved: ENOSPC.* was stopped and stays/)],
    })
    expect(isRunning(pid)).toBe(true)
    fs.rmSync(filler)
    expect(await remove()).toMatchObject({ outcome: 'clean' })
    expect(readText(layout.archived(ref, layout.streamLog(ref)))).toMatch(/^ready\n/)
    expect(isRunning(pid)).toBe(false)
  })
})
