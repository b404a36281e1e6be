import type { TestProject } from 'vitest/node'
import { ensureBundles } from './bundle.ts'
import { testSet } from './programs.ts'

/** Vitest runs this before the first test, and again when a source changed while it watches. */
export default async function setup(project: TestProject): Promise<void> {
  project.onTestsRerun(() => ensureBundles(testSet))
  await ensureBundles(testSet)
}
