import { join, relative } from 'node:path'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { isPackage, projectRoot, userFolder } from '../../bin/programs.ts'
import { cellsPerFile } from './process-limit.ts'

/** In ms. The rig's own limits grow with the machine's load (harness/limit.ts), beyond the default timeout. */
export const rigTimeout = 600_000

/** Cells of one file run concurrently, each in its own sandbox: they spend most of their time waiting for grace and quiet periods. */
export const cells = { sequence: { concurrent: true }, maxConcurrency: cellsPerFile }

/** For all tests. */
export const common = { pool: 'forks', retry: 0, testTimeout: 120_000, hookTimeout: 120_000 } as const

/** How the name of a file with tests of ours ends; those of a package are compiled. */
export const testEnding = isPackage ? '.test.js' : '.test.ts'

/** The folder below a user's project in which scenarios of their own are found. */
const usersFolder = 'leakrig'

/** A package has no scenario of its user's among its own. */
const usersScenarios = isPackage
  ? [`${asPattern(relative(projectRoot, userFolder))}/${usersFolder}/**/*.test.{ts,mts,js,mjs}`]
  : []

const ofPackage: TestProjectInlineConfiguration = {
  // A scenario finds leakrig wherever that is installed.
  resolve: {
    alias: {
      'leakrig/test': join(projectRoot, 'harness/library.js'),
      'leakrig/config': join(projectRoot, 'harness/definition/definition.js'),
    },
  },
  test: {
    // Otherwise Vitest would leave out what lies in node_modules, and let Node load it, once for all runs.
    exclude: [],
    server: { deps: { inline: [/\/dist\/scenarios\//] } },
  },
}

const project = (test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration => ({
  extends: true,
  ...(isPackage && { resolve: ofPackage.resolve ?? {} }),
  // Every scenario has its own sandbox, so isolated modules would add nothing.
  test: { isolate: false, testTimeout: rigTimeout, ...(isPackage && ofPackage.test), ...test },
})

/** Vitest's configuration for the commands `scenarios` and `catalogue`. */
export default defineConfig({
  test: {
    ...common,
    projects: [
      project({ name: 'scenarios', include: [`scenarios/*${testEnding}`, ...usersScenarios] }),
      project({ name: 'catalogue', include: [`scenarios/catalogue/*${testEnding}`], ...cells }),
      project({ name: 'reproduce', include: [`scenarios/reproduce/*${testEnding}`] }),
      project({ name: 'soak', include: [`scenarios/soak/*${testEnding}`] }),
    ],
  },
})

/** A path as a glob pattern that matches only it. */
function asPattern(path: string): string {
  return path.replaceAll(/[()[\]{}!*?@+|\\]/g, '\\$&')
}
