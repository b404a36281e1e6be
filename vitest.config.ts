import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'
import { cellsPerFile } from './harness/cli/process-limit.ts'
import { LeftOutReporter } from './test/left-out.ts'

const crowd = 'cleanup/test/reaper/hundred-at-once.test.ts'
/** Decides as it is loaded where processes are read from. */
const ps = 'cleanup/test/platform/ps.test.ts'

/** The rig's own limits follow the load (harness/limit.ts): on a busy machine they are longer than a test may take elsewhere. */
const patient = 600_000

/** Cells of one file run side by side, each in a sandbox of its own: most of their time is graces and rests. */
const cells = { sequence: { concurrent: true }, maxConcurrency: cellsPerFile }

export default defineConfig({
  test: {
    pool: 'forks',
    retry: 0,
    globalSetup: 'bin/vitest-setup.ts',
    reporters: [...configDefaults.reporters, new LeftOutReporter()],
    tags: [
      { name: 'long', description: 'Proves at length what a shorter test proves too: npm run test:all' },
    ],
    // More than cores: much of a test's time is waiting for something to end.
    maxWorkers: availableParallelism() + 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    provide: { leakrig: { system: 'hybrid', sandbox: 'namespace', keep: false, mayBeSkipped: true } },
    projects: [
      {
        extends: true,
        // To load all modules anew for each file costs more than most of these files do.
        test: { name: 'fake-claude', include: ['fake-claude/test/**/*.test.ts'], isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'cleanup',
          include: ['cleanup/test/**/*.test.ts'],
          exclude: [crowd, ps],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'cleanup-ps', include: [ps] } },
      // A hundred processes at once take every core: after all others, and beside none of them.
      { extends: true, test: { name: 'cleanup-crowd', include: [crowd], sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: 'harness', include: ['harness/test/**/*.test.ts'] } },
      {
        extends: true,
        // Every scenario has a sandbox of its own: to load the harness anew for each file isolates nothing more.
        test: {
          name: 'scenarios',
          include: ['scenarios/*.test.ts'],
          isolate: false,
          testTimeout: patient,
          setupFiles: ['test/scenarios-may-be-skipped.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'catalogue',
          include: ['scenarios/catalogue/*.test.ts'],
          isolate: false,
          ...cells,
          testTimeout: patient,
        },
      },
      {
        extends: true,
        // The gate on the gate: the same cells against the system as found, each red as its table says.
        test: {
          name: 'catalogue-none',
          include: ['scenarios/catalogue/*.test.ts'],
          isolate: false,
          ...cells,
          testTimeout: patient,
          provide: { leakrig: { system: 'none', sandbox: 'namespace', keep: false, withoutCleanup: true } },
        },
      },
      { extends: true, test: { name: 'model', include: ['scenarios/model/*.test.ts'] } },
    ],
  },
})
