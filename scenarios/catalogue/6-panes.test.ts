import { keepDeadPanes, keepShells, openMorePanes } from '../../harness/index.ts'
import { matrix } from './matrix.ts'

/** Sessions that are more than one pane which ends with its claude. */
matrix([
  {
    name: 'shell kept open',
    directive: {},
    prepare: keepShells,
    traces: [
      ['session', /agent_/],
      ['process', /^bash .*below a pane whose session was never ended/],
    ],
    outlives: { killed: 'its session is killed, and the shell with it', crashed: true },
  },
  {
    name: 'remain-on-exit',
    directive: {},
    prepare: keepDeadPanes,
    traces: [
      ['session', /agent_/],
      ['pane', /of session agent_/],
    ],
    outlives: { killed: 'its session is killed, and its panes with it', crashed: true },
  },
  {
    name: 'more panes and windows',
    directive: {},
    before: openMorePanes,
    traces: [['process', /sleep 1200/]],
    outlives: { killed: true, crashed: true },
  },
])
