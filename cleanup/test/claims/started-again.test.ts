import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cleanUp, type Measurement, type Sweep } from '../../index.ts'
import { type AgentRef, agentMarker, updateAgent } from '../../orchestrator.ts'
import { leakrig, leakrigJson } from '../support/cli.ts'
import { isRunning, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

/* Somebody outside of an agent starts it again after its cleanup has ended: a supervisor that polls, or waits before it does. */

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

async function doneAgent(): Promise<{ ref: AgentRef; finished: string }> {
  const ref = await rig.deploy('a', { claude: idle })
  await cleanUp(ref, { status: 'completed', reason: 'it said so', graceMs: 300 })
  const finished = rig.entry(ref).cleanup?.finished_at ?? ''
  // The kernel tells to a hundredth of a second when a process began.
  await until('what begins now is younger', () => Date.now() > Date.parse(finished) + 50)
  return { ref, finished }
}

const sentence = (finished: string, who: string, options: string) =>
  `it began after the cleanup of agent TASK-1/a had ended (${finished}): ${who}. Stop that first, or it comes back; then "leakrig sweep ${options}" ends it`
const nobody = 'somebody has started it, and nothing shows who'
const status = () => leakrigJson<Measurement>(['status', rig.workspace])
const sweep = () => leakrigJson<{ sweeps: Sweep[] }>(['sweep', rig.workspace, '--min-age', '0s']).sweeps[0]
/** What the commands print. */
const printed = (...pids: number[]) =>
  [
    ['status', rig.workspace],
    ['sweep', rig.workspace, '--min-age', '0s'],
    ['explain', 'a', rig.workspace],
    ...pids.map(pid => ['explain', String(pid), rig.workspace]),
  ].map(words => leakrig(words).out)

test.each([
  ['with its supervisor, which lives', (start: string) => `${start}; :`],
  ['that nobody is known to have started', (start: string) => `(setsid ${start} &)`],
])('a process with the marker, %s: every view says that it was started again', async (name, how) => {
  const isOrphan = !name.startsWith('with')
  const start = how(`bash -c 'echo $$ >${rig.folder}/again.pid; exec sleep 1000'`)
  // The supervisor is older than the end of the agent.
  const go = `${rig.folder}/go`
  const loop = `until [ -s ${go} ]; do sleep 0.05; done; export LEAKRIG_AGENT=$(cat ${go}); ${start}`
  const supervisor = rig.start('bash', ['-c', loop])
  const { ref, finished } = await doneAgent()
  fs.writeFileSync(go, agentMarker(ref))
  const pid = await rig.pid('again')
  if (isOrphan) await until('its starter has ended', () => !isRunning(supervisor))
  const who = isOrphan ? nobody : `process ${supervisor} (bash) has started it`
  const said = sentence(finished, who, '--apply')
  const why = `LEAKRIG_AGENT=${agentMarker(ref)}; ${said}`
  expect(status().processes?.leftovers.find(one => one.pid === pid)?.why).toBe(why)
  expect(sweep()?.leftovers?.processes.find(one => one.pid === pid)?.why).toBe(why)
  for (const text of printed(pid)) expect(text).toContain(said)
  leakrig(['sweep', rig.workspace, '--min-age', '0s', '--apply'])
  expect(isRunning(pid)).toBe(false)
})

test('a session of its name, with what runs there: every view says that it was started again', async () => {
  const { ref, finished } = await doneAgent()
  const { pane_pid } = rig.newSession(ref, { claude: idle })
  const said = sentence(finished, nobody, '--apply --orphans')
  const measured = status()
  expect(measured.sessions?.leftover).toMatchObject([{ name: 'agent_a', why: said }])
  expect(sweep()?.leftovers?.sessions).toEqual(measured.sessions?.leftover)
  for (const text of printed(pane_pid)) expect(text).toContain(said)
  leakrig(['sweep', rig.workspace, '--min-age', '0s', '--apply', '--orphans'])
  expect([rig.sessions(), isRunning(pane_pid)]).toEqual([['user'], false])
})

test('a process with the marker that is older than the end of the cleanup was not started again', async () => {
  const { ref } = await doneAgent()
  const pid = rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(ref) })
  await updateAgent(ref, entry => {
    Object.assign(entry.cleanup ?? {}, { finished_at: new Date(Date.now() + 60_000).toISOString() })
  })
  const marker = `LEAKRIG_AGENT=${agentMarker(ref)}`
  expect(status().processes?.leftovers.find(one => one.pid === pid)?.why).toBe(marker)
  expect(sweep()?.agents).toMatchObject([{ startedAgain: [] }])
})
