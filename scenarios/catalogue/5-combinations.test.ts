import { ignoreAgentsWork, ignoreFolderNote } from '../../harness/index.ts'
import { matrix, type Shape } from './matrix.ts'

const stays = { killed: true, crashed: true } as const

/** Several of the other rows' shapes at once. */
const combinations: [string, Shape['traces'], Partial<Shape['directive']>?][] = [
  ['own-session+hup-ignored+stopped', [['process', /child\.pl.*stopped/]]],
  ['daemon+hup-ignored+term-ignored', [['process', /child\.pl/]], { children: 3, depth: 3 }],
  ['live-parent+zombies+descriptors', [['descriptor', /\(deleted\)/]]],
  ['subreaper+term-ignored+renamed', [['process', /^\) R 1 1/]]],
  ['job-control+term-ignored+stopped', [['process', /child\.pl/]]],
  [
    'daemon+nested-server+pty+respawn+temp-files',
    [
      ['server', /swarm-/],
      ['pty', /\/dev\/pts\//],
      ['process', /respawn\.pl/],
      ['file', /claude-\w+-cwd/],
    ],
  ],
]

matrix(
  combinations.map(([name, traces, directive]) => ({
    name,
    directive: { shape: name, ...directive },
    ignore: async rig => {
      await ignoreFolderNote(rig)
      await ignoreAgentsWork(rig)
    },
    traces,
    outlives: stays,
  })),
)
