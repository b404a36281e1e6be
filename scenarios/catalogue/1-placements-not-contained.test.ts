import { deployCell, expect, expectCleanedUp, inject, systemCommand, test } from '../../harness/index.ts'
import { matrix, type Shape } from './matrix.ts'
import { redWithoutCleanup } from './red-without-cleanup.ts'

/** Without containment, as on a machine without tini, or with an orchestrator that does not use the launch function. */
const notContained = test.extend('system', () => places => {
  const { env, ...command } = systemCommand(inject('leakrig').system, places)
  return { ...command, env: { ...env, LEAKRIG_CONTAINMENT: 'none' } }
})

const placements: [string, Shape['traces']][] = [
  ['own-session', [['process', /child\.pl.*session of its own/]]],
  ['job-control', [['process', /child\.pl/]]],
  ['daemon', [['process', /child\.pl.*orphaned/]]],
  ['subreaper', [['process', /child\.pl/]]],
  ['live-parent', [['process', /child\.pl/]]],
  ['daemon+hup-ignored+stopped', [['process', /child\.pl.*stopped/]]],
]

/** Leaked processes that only descent, session, terminal or environment tie to their agent. */
matrix(
  placements.map(([shape, traces]) => ({
    name: `${shape}, not contained`,
    directive: { shape },
    traces,
    outlives: { killed: true, crashed: true },
  })),
  notContained,
)

notContained('bare-daemon, not contained × killed', async ({ rig }) => {
  const cell = await deployCell(rig, { shape: { shape: 'bare-daemon' }, ending: 'killed' })
  const { pids } = await cell.agent.reportedResources()
  const isDaemon = (one: { kind: string; pid?: number }) =>
    one.kind === 'process' && pids.includes(one.pid ?? 0)
  await redWithoutCleanup(/is listed as a suspect/, async () => {
    const answer = await cell.agent.isKilled()
    for (const pid of pids)
      expect(JSON.stringify(answer), 'is listed as a suspect').toMatch(
        new RegExp(`"suspects":\\[.*"pid":${pid}\\b`),
      )
    await rig.ignore('suspect: its environment was emptied, and nothing contained it', isDaemon)
    await expectCleanedUp(cell, 'terminated')
    const { resources } = await rig.snapshot()
    expect(resources.filter(isDaemon), 'it was left alone').toHaveLength(pids.length)
  })
})
