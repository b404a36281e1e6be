import { matrix } from './matrix.ts'

const bash = { bash: 2, depth: 2 }
const gone = 'this version of claude ends its own children'
const ended = 'this version of claude ends its background tasks some seconds after its result, and then exits'

/** The versions of claude, where they differ in what they end themselves and what they leave. */
matrix([
  {
    name: 'legacy',
    directive: { profile: 'legacy', ...bash },
    traces: [['process', /shell-snapshots/]],
    outlives: { killed: true, crashed: true, 'completes from inside': ended },
  },
  {
    name: 'mid',
    directive: { profile: 'mid', ...bash },
    traces: [['process', /shell-snapshots/]],
    outlives: { killed: true, crashed: true, 'completes from inside': ended },
  },
  {
    name: 'current',
    directive: { profile: 'current', ...bash },
    traces: [['process', /shell-snapshots/]],
    outlives: { killed: gone, crashed: true },
  },
  ...(['legacy', 'mid'] as const).flatMap(profile => [
    {
      name: `${profile} mcp-launcher`,
      directive: { profile, shape: 'mcp-launcher' },
      traces: [['process', /mcp-server\.pl/]] as [['process', RegExp]],
      outlives: { killed: true as const, crashed: true as const },
    },
    {
      name: `${profile} own-session`,
      directive: { profile, shape: 'own-session' },
      traces: [['process', /child\.pl/]] as [['process', RegExp]],
      outlives: { killed: true as const, crashed: true as const },
    },
  ]),
])
