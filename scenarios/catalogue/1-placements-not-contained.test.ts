import { chosenSystem, test } from '../../harness/index.ts'
import { matrix, type Shape } from './matrix.ts'
import { namedAsSuspect } from './named-as-suspect.ts'

/** Without containment, as on a machine without tini, or with an orchestrator that does not use the launch function. */
const notContained = test.extend('system', async () => {
  const system = await chosenSystem()
  return { ...system, env: { ...system.env, LEAKRIG_CONTAINMENT: 'none' } }
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
    system: ['report workspace'],
    traces,
    outlives: { killed: true, crashed: true },
  })),
  notContained,
)

const emptied = 'its environment was emptied, and nothing contained it'
for (const shape of ['bare-daemon', 'path-daemon'])
  namedAsSuspect(`${shape}, not contained`, shape, emptied, notContained)
