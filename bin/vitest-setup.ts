import type { TestProject } from 'vitest/node'
import { ensureBundles } from './bundle.ts'
import { rigSet, testSet } from './programs.ts'

/** Vitest runs this before the first test. In watch mode, a change of a source makes new bundles. */
export default async function setup(project: TestProject): Promise<void> {
  const onlyScenarios = project.vitest.projects.every(({ name }) => /^(scenarios|catalogue|model)/.test(name))
  const ensure = () => ensureBundles(onlyScenarios ? rigSet : testSet)
  project.onTestsRerun(ensure)
  await ensure()
}
