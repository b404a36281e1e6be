import { type PageRun, runBlock, scenarioBlock } from '../page-blocks.ts'
import type { ScenarioResult } from '../scenario-result.ts'

/** The run, from the page itself. */
export function readRun(): PageRun {
  return read(runBlock) as PageRun
}

const scenarios = new Map<number, ScenarioResult>()

/** A scenario with everything that was measured. It is parsed when it is first shown. */
export function readScenario(index: number): ScenarioResult {
  const result = scenarios.get(index) ?? (read(scenarioBlock(index)) as ScenarioResult)
  scenarios.set(index, result)
  return result
}

function read(id: string): unknown {
  return JSON.parse(document.getElementById(id)?.textContent ?? 'null')
}
