import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AgentRef } from '../../index.ts'
import { agentMarker } from '../../orchestrator.ts'
import { cleanerCommand } from '../support/cleaner-process.ts'
import { kill, NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Cleans up an agent that is deaf to TERM, without a turn from the first signal until long after the grace; `meanwhile` others work. */
async function cleanUpStalled(ref: AgentRef, meanwhile = () => {}): Promise<unknown> {
  const file = `${rig.folder}/report.json`
  const [program = '', ...args] = cleanerCommand(ref, file, 0)
  const cleaner = spawn(program, args, { stdio: 'inherit' })
  await until('it has asked', () => fs.existsSync(`${rig.folder}/asked`))
  cleaner.kill('SIGSTOP')
  meanwhile()
  const since = performance.now()
  await until('all its time is up', () => performance.now() - since > 3_000)
  cleaner.kill('SIGCONT')
  await once(cleaner, 'exit')
  return JSON.parse(readText(file))
}

const deaf = () => `trap 'echo > ${rig.folder}/asked' TERM; echo ready; while :; do sleep 0.05; done`

test('a cleaner that gets no turn until long after the grace still kills in order, and says nothing false', async () => {
  const ref = await rig.deploy('a', {
    claude: deaf(),
    after: 'trap "" TERM HUP; while :; do sleep 0.1; done',
  })
  expect(await cleanUpStalled(ref)).toMatchObject({ outcome: 'clean', problems: [] })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('who turns up only when all time is up is ended like the others', async () => {
  const ref = await rig.deploy('a', { claude: deaf() })
  const report = await cleanUpStalled(ref, () => {
    for (const line of rig.processesOf(ref)) kill(Number.parseInt(line, 10))
    rig.start('bash', ['-c', 'trap "" TERM; sleep 1000 & wait'], { LEAKRIG_AGENT: agentMarker(ref) })
  })
  expect(report).toMatchObject({ outcome: 'clean', problems: [] })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})
