import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'
import { cellsPerFile } from './harness/cli/process-limit.ts'
import { LeftOutReporter } from './test/left-out.ts'

const crowd = 'cleanup/test/reaper/hundred-at-once.test.ts'
/** Chooses at load time how processes are read, so it needs a worker of its own. */
const ps = 'cleanup/test/platform/ps.test.ts'

/** The rig's own limits grow with the load (harness/limit.ts), beyond the usual timeout of a test, ms. */
const rigTimeoutMs = 600_000

/** Cells of one file run side by side, each in a sandbox of its own: most of their time they wait. */
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
    // More than there are cores, because tests mostly wait.
    maxWorkers: availableParallelism() + 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    provide: { leakrig: { system: 'hybrid', sandbox: 'namespace', keep: false, mayBeSkipped: true } },
    projects: [
      {
        extends: true,
        // Loading all modules again for each file would take longer than most of these files.
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
      // A hundred processes at once take every core, so this runs alone, after all others.
      { extends: true, test: { name: 'cleanup-crowd', include: [crowd], sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: 'harness', include: ['harness/test/**/*.test.ts'] } },
      {
        extends: true,
        // Every scenario has a sandbox of its own. Loading the harness again for each file would isolate nothing more.
        test: {
          name: 'scenarios',
          include: ['scenarios/*.test.ts'],
          isolate: false,
          testTimeout: rigTimeoutMs,
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
          testTimeout: rigTimeoutMs,
        },
      },
      {
        extends: true,
        // Tests the catalogue itself: against the system as found, each cell must leak as its table says.
        test: {
          name: 'catalogue-none',
          include: ['scenarios/catalogue/*.test.ts'],
          isolate: false,
          ...cells,
          testTimeout: rigTimeoutMs,
          provide: { leakrig: { system: 'none', sandbox: 'namespace', keep: false, withoutCleanup: true } },
        },
      },
      { extends: true, test: { name: 'model', include: ['scenarios/model/*.test.ts'] } },
    ],
  },
})
