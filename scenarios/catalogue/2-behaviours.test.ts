import { ignoreAgentsWork } from '../../harness/index.ts'
import { matrix } from './matrix.ts'

const dies = 'the hang-up of its terminal ends it'

/** How a leaked process behaves: what ends it, and what does not. */
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
    // The shell of a pane that ends by itself takes the terminal with it: a HUP, and no CONT that would deliver it.
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
