import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { expect, test } from 'vitest'
import { cleanerCommand } from './support/outside-cleaner.ts'
import { NO_TRACES, Rig, readText, traces } from './support/rig.ts'
import { until } from './support/until.ts'

test('a cleaner that gets no turn until long after the grace still kills in order, and says nothing false', async () => {
  await using rig = await Rig.start()
  const deaf = `trap 'echo > ${rig.folder}/asked' TERM; echo ready; while :; do sleep 0.05; done`
  const ref = await rig.deploy('a', { claude: deaf, after: 'trap "" TERM HUP; while :; do sleep 0.1; done' })
  const file = `${rig.folder}/report.json`
  const [program = '', ...args] = cleanerCommand(ref, file, 0)
  const cleaner = spawn(program, args, { stdio: 'inherit' })
  await until('it has asked', () => fs.existsSync(`${rig.folder}/asked`))
  cleaner.kill('SIGSTOP')
  const since = performance.now()
  await until('all its time is up', () => performance.now() - since > 3_000)
  cleaner.kill('SIGCONT')
  await once(cleaner, 'exit')
  expect(JSON.parse(readText(file))).toMatchObject({ outcome: 'clean', problems: [] })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})
