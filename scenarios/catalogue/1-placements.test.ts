import { matrix } from './matrix.ts'

/** Where a leaked process lives: what finds it, and what does not. */
matrix([
  {
    name: 'plain',
    directive: {},
    traces: [['process', /^claude /]],
    outlives: {
      killed: 'a claude that is hung up ends its own children, and itself',
      crashed: 'it is claude that was killed',
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
    needs: {
      program: 'tini',
      because: 'nothing contains the launch, and nothing else ties an emptied environment to its agent',
    },
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
