import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AgentRef, planRetention } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { parsePolicy } from '../../retention/policy.ts'
import { Daemon } from '../support/daemon.ts'
import { kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'
const success = `echo ready; until [ -e go ]; do sleep 0.02; done; echo '{"type":"result","subtype":"success"}'`

let rig: Rig
let daemon: Daemon
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(async () => {
  await daemon.stop()
  await rig[Symbol.asyncDispose]()
})

async function deploy(count: number, claude: string, socket?: string): Promise<AgentRef[]> {
  const refs: AgentRef[] = []
  for (let n = 0; n < count; n++) {
    const at = socket === undefined ? {} : { socket: `${rig.folder}/${socket}` }
    refs.push(await rig.deploy(`${socket ?? 'main'}-${n}`, { claude, ...at }))
  }
  return refs
}

const areClean = (refs: AgentRef[]) => () => refs.every(ref => rig.entry(ref).cleanup?.state === 'done')

test('when most agents die at once that is an alarm; they are cleaned up, and retention removes nothing for a day', async () => {
  daemon = await Daemon.start(rig, '--metrics-port', '0')
  const gone = await deploy(6, idle, 'doomed')
  const left = await deploy(4, idle)
  // Registered after all others: once it is clean, the daemon has read all entries.
  const last = await rig.deploy('last', { claude: idle, entry: { status: 'completed' } })
  await until('the last one is clean', areClean([last]))
  kill(rig.entry(gone[0] as AgentRef).tmux?.server_pid ?? 0)
  await until('they are clean', areClean(gone))
  await until('it is announced', () => daemon.events('mass-death').length > 0)
  expect(daemon.events('mass-death')).toMatchObject([
    {
      level: 'alarm',
      gone: 6,
      of: 10,
      reason: expect.stringMatching(/^6 of 10 agents of .* were found dead/),
    },
  ])
  for (const ref of gone) {
    expect(rig.entry(ref).status).toBe('crashed')
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  }
  for (const ref of left) expect(rig.entry(ref).status).toBe('running')
  const health = () => JSON.parse(fs.readFileSync(`${rig.workspace}/registry/health.json`, 'utf8'))
  await until('its health says so', () => health().state === 'degraded')
  expect(health().reasons.join(' ')).toContain('6 of 10 agents')
  // The registry lists an agent as clean a moment before the daemon has counted it.
  const metrics = async () => (await fetch(String(daemon.events('metrics')[0]?.url))).text()
  const counted = /^leakrig_cleanups_total\{outcome="clean"\} 7$/m
  await until('all are counted', async () => counted.test(await metrics()))
  expect(await metrics()).toMatch(/^leakrig_mass_deaths_total 1$/m)
  const old = new Date(Date.now() - 30 * 24 * 3_600_000)
  for (const name of fs.readdirSync(layout.archiveFolder(gone[0] as AgentRef)))
    fs.utimesSync(layout.archived(gone[0] as AgentRef, name), old, old)
  const { workspaces, files } = await planRetention([rig.workspace], parsePolicy())
  expect(workspaces[0]?.hold).toMatchObject({ reason: expect.stringContaining('6 of 10 agents') })
  expect(files.filter(({ action }) => action === 'remove')).toEqual([])
})

test('fewer than half of the agents, a few agents, or agents that finished are no mass death', async () => {
  daemon = await Daemon.start(rig)
  const few = await deploy(4, idle, 'few')
  const finished = await deploy(5, success)
  kill(rig.entry(few[0] as AgentRef).tmux?.server_pid ?? 0)
  fs.writeFileSync(`${rig.folder}/go`, '')
  await until('they are clean', areClean([...few, ...finished]))
  expect(finished.map(ref => rig.entry(ref).status)).toEqual(Array(5).fill('completed'))
  expect(daemon.events('mass-death')).toEqual([])
})

test('agents that somebody else cleaned up are no mass death either, even where the daemon has not noticed yet', async () => {
  const finished = await deploy(6, success)
  const last = await rig.deploy('last', { claude: idle })
  daemon = await Daemon.startWithoutFileEvents(rig)
  fs.writeFileSync(`${rig.folder}/go`, '')
  await until('they are clean', areClean(finished))
  // It reaches the last agent after everything that was due for the others.
  kill(rig.entry(last).tmux?.pane_pid ?? 0)
  await until('the last one is clean', areClean([last]))
  expect(daemon.events('ended')).toHaveLength(7)
  expect(daemon.events('mass-death')).toEqual([])
})
