import { ignoreAgentsWork } from '../../harness/index.ts'
import { matrix } from './matrix.ts'

const dies = 'the SIGHUP of its terminal ends it'

/** How a leaked process behaves, which decides what ends it. */
matrix([
  {
    name: 'hup-ignored',
    traces: [['process', /child\.pl/]],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'term-ignored',
    traces: [['process', /child\.pl/]],
    outlives: { killed: dies, crashed: dies },
  },
  {
    name: 'stopped',
    traces: [['process', /child\.pl.*stopped/]],
    // When the pane's shell ends by itself, the terminal goes: the process gets SIGHUP, but no SIGCONT to deliver it.
    outlives: { killed: dies, crashed: true },
  },
  {
    name: 'busy',
    traces: [['process', /child\.pl/]],
    outlives: { killed: dies, crashed: dies },
  },
  {
    name: 'zombies',
    traces: [['process', /dead, and its parent \d+ \(perl\)/]],
    outlives: { killed: dies, crashed: dies },
  },
  {
    name: 'descriptors',
    traces: [
      ['descriptor', /open-\d+-\d+ \(deleted\)/],
      ['descriptor', /open-\d+-\d+, open for writing/],
    ],
    ignore: ignoreAgentsWork,
    outlives: { killed: dies, crashed: dies },
  },
  {
    name: 'renamed',
    traces: [['process', /^\) R 1 1/]],
    outlives: { killed: dies, crashed: dies },
  },
])
