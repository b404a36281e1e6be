import {
  endingNames,
  expectHookRun,
  ignoreFolderNote,
  ignoreShellSnapshot,
  plantHooks,
  plantUsersBackgroundService,
} from '../../harness/index.ts'
import { matrix } from './matrix.ts'
import { namedAsSuspect } from './named-as-suspect.ts'

/** What an agent starts besides its children. */
matrix([
  {
    name: 'mcp-launcher',
    traces: [['process', /mcp-server\.pl/]],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'nested-server',
    traces: [
      ['server', /swarm-/],
      ['session', /swarm/],
      ['process', /^tmux: server/],
      ['socket', /swarm-/],
    ],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'temp-files',
    ignore: ignoreFolderNote,
    traces: [
      ['file', /claude-\w+-cwd/],
      ['file', /config\.json/],
    ],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'pty',
    traces: [
      ['pty', /\/dev\/pts\//],
      ['process', /ptys\.pl/],
    ],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'respawn',
    traces: [
      ['process', /respawn\.pl/],
      ['process', /sleep 1200/],
    ],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'fork-storm',
    traces: [['process', /^perl /]],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'background-session',
    prepare: plantUsersBackgroundService,
    traces: [
      ['process', /: claude \S+ daemon run --origin transient/],
      ['process', /: claude bg-pty-host/],
      ['process', /: claude bg-spare/],
      ['process', /: sleep 1200/],
      ['pty', /\/dev\/pts\//],
      ['socket', /\/control\.sock/],
    ],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'hooks at its end',
    directive: {},
    prepare: plantHooks,
    after: expectHookRun,
    traces: [['process', /sleep 1200.*orphaned/]],
    outlives: { killed: true, crashed: 'a killed claude runs no hook' },
    endings: ['killed'],
  },
  {
    name: 'finished, idle',
    directive: { persona: 'idles' },
    before: agent => agent.finishes(),
    ignore: ignoreShellSnapshot,
    statuses: { crashed: 'completed' }, // its log ends with a successful result
    traces: [['process', /^claude /]],
    outlives: {
      killed: 'on SIGHUP claude ends itself',
      crashed: 'claude itself was killed',
    },
    endings: endingNames.filter(ending => ending !== 'completes from inside'),
  },
])

namedAsSuspect('tmux-job', 'tmux-job', 'a job of the tmux server, as the user’s own hooks start them')
namedAsSuspect('tmux-guest', 'tmux-guest', 'a session, and a job, as the user opens them on the same server')
