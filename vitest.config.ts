import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'
import { cells, common, rigTimeout } from './harness/cli/vitest-config.ts'
import { LongestFirst } from './test/longest-first.ts'
import { SkipSummaryReporter } from './test/skip-summary.ts'

const manyProcesses = 'cleanup/test/reaper/hundred-at-once.test.ts'
/**
 * They cannot share their modules with other files: the process backend is chosen as these are loaded, and a clock that goes
 * back leaves times of the future in them.
 */
const isolated = ['cleanup/test/platform/ps.test.ts', 'cleanup/test/daemon/silence.test.ts']

export default defineConfig({
  // As an installed package offers it.
  resolve: { alias: { 'leakrig/config': join(import.meta.dirname, 'harness/definition/definition.ts') } },
  test: {
    ...common,
    globalSetup: 'bin/vitest-setup.ts',
    reporters: [...configDefaults.reporters, new SkipSummaryReporter()],
    tags: [
      { name: 'long', description: 'A longer version of another test; npm run test:all runs it' },
      {
        name: 'nightly',
        description: 'A long test that only npm run test:all runs, and so the nightly workflow',
      },
      { name: 'tools', description: 'Needs tini, a container engine or Chromium, which a machine may lack' },
    ],
    // More workers than cores, because tests spend much of their time waiting for processes to end.
    maxWorkers: availableParallelism() + 2,
    // The commands that tests run are no steps of the job that the tests are in.
    env: { GITHUB_ACTIONS: '', GITHUB_STEP_SUMMARY: '' },
    provide: { leakrig: { system: 'hybrid', sandbox: 'namespace', keep: false, mayBeSkipped: true } },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        // Isolation would load all modules again for each file, which takes longer than most of these tests.
        test: { name: 'fake-claude', include: ['fake-claude/test/**/*.test.ts'], isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'cleanup',
          include: ['cleanup/test/**/*.test.ts'],
          exclude: [manyProcesses, ...isolated],
          // A test without a rig has no tmux server that is to be found.
          env: { LEAKRIG_SOCKET_FOLDER: '/none' },
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'cleanup-isolated', include: isolated, env: { LEAKRIG_SOCKET_FOLDER: '/none' } },
      },
      // A hundred processes at once use every core, so this file runs alone, after all others.
      {
        extends: true,
        test: { name: 'cleanup-many', include: [manyProcesses], sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'harness',
          include: ['harness/test/**/*.test.ts'],
          // GitHub's parser imports JSON as bundlers allow it, and Node does not.
          server: { deps: { inline: [/@actions\/workflow-parser/] } },
        },
      },
      {
        extends: true,
        // Every scenario has its own sandbox, so isolated modules would add nothing.
        test: {
          name: 'scenarios',
          include: ['scenarios/*.test.ts'],
          isolate: false,
          testTimeout: rigTimeout,
          setupFiles: ['test/skip-without-namespaces.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'catalogue',
          include: ['scenarios/catalogue/*.test.ts'],
          isolate: false,
          ...cells,
          testTimeout: rigTimeout,
        },
      },
      {
        extends: true,
        // Checks the catalogue itself: the same cells against a system that does not clean up must fail as their tables say.
        test: {
          name: 'catalogue-none',
          include: ['scenarios/catalogue/*.test.ts'],
          isolate: false,
          ...cells,
          testTimeout: rigTimeout,
          provide: { leakrig: { system: 'none', sandbox: 'namespace', keep: false, withoutCleanup: true } },
        },
      },
      { extends: true, test: { name: 'model', include: ['scenarios/model/*.test.ts'] } },
    ],
  },
})
