import {
  configureTmux,
  keepDeadPanes,
  keepShells,
  openMorePanes,
  paneMovesToUser,
  userJoins,
  windowMovesToUser,
} from '../../harness/index.ts'
import { matrix, type Shape } from './matrix.ts'

/** Sessions that are more than one pane which ends with its claude, or that a user shares. */
const rows: Shape[] = [
  {
    name: 'shell kept open',
    directive: {},
    system: ['report workspace'],
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
    name: 'the user’s tmux.conf',
    directive: {},
    server: 'separate',
    prepare: configureTmux,
    before: userJoins,
    traces: [
      ['session', /agent_/],
      ['pane', /of session agent_/],
    ],
    outlives: { killed: 'its session is killed, and its panes with it', crashed: true },
    endings: ['completes from inside', 'crashed'],
  },
  {
    name: 'more panes and windows',
    directive: {},
    before: openMorePanes,
    traces: [['process', /sleep 1200/]],
    outlives: { killed: true, crashed: true },
  },
  // The deploy starts the server, and the user's sessions come to it later.
  {
    name: 'user on its server',
    directive: {},
    server: 'separate',
    before: userJoins,
    traces: [['process', /^claude /]],
    outlives: { killed: 'claude ends itself', crashed: 'claude itself was killed' },
    endings: ['killed'],
  },
  {
    name: 'user on the server that it started',
    directive: { shape: 'nested-server' },
    before: userJoins,
    traces: [['session', /swarm/]],
    outlives: { killed: true, crashed: true },
    endings: ['killed'],
  },
  {
    name: 'window moved to the user',
    directive: {},
    server: 'separate',
    before: windowMovesToUser,
    traces: [['process', /^claude /]],
    // Its session is gone, and a kill of that finds nothing.
    outlives: { killed: undefined, crashed: 'claude itself was killed' },
    endings: ['completes from inside', 'killed'],
  },
  {
    name: 'pane moved to the user’s window',
    directive: {},
    server: 'separate',
    before: paneMovesToUser,
    traces: [['process', /^claude /]],
    outlives: { killed: undefined, crashed: 'claude itself was killed' },
    endings: ['crashed'],
  },
]

matrix(rows.map(row => ({ ...row, system: ['session', ...(row.system ?? [])] })))
