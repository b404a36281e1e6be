import { matrix } from './matrix.ts'

const needsTini = {
  program: 'tini',
  because:
    'without it nothing contains the launch, and a process with an emptied environment cannot be attributed',
}

/** Where a leaked process lives, which decides how it can be found. */
matrix([
  {
    name: 'plain',
    directive: {},
    traces: [['process', /^claude /]],
    outlives: {
      killed: 'on SIGHUP claude ends its children and itself',
      crashed: 'claude itself was killed',
    },
  },
  {
    name: 'own-session',
    traces: [['process', /child\.pl.*session of its own/]],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'job-control',
    traces: [['process', /child\.pl/]],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'daemon',
    traces: [['process', /child\.pl.*orphaned/]],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'bare-daemon',
    traces: [['process', /child\.pl.*orphaned/]],
    outlives: { killed: true, crashed: true },
    needs: needsTini,
  },
  // It ends as `bare-daemon` does, so two endings are enough: its subreaper lives, and has ended.
  {
    name: 'path-daemon',
    traces: [['process', /child\.pl.*orphaned/]],
    outlives: { killed: true, crashed: true },
    endings: ['killed', 'crashed'],
    needs: needsTini,
  },
  {
    name: 'subreaper',
    traces: [['process', /child\.pl/]],
    outlives: { killed: true, crashed: true },
  },
  {
    name: 'live-parent',
    traces: [
      ['process', /parent\.pl/],
      ['process', /child\.pl.*below .* lives on/],
    ],
    outlives: { killed: true, crashed: true },
  },
])
