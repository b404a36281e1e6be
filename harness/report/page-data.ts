import { printableLines } from '../terminal.ts'
import type { Life, Timeline } from '../timeline/timeline.ts'
import { outcome } from './outcome.ts'
import { type Block, type PageEntry, type PageRun, runBlock, scenarioBlock } from './page-blocks.ts'
import type { Report } from './report.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** The data of a page: the run, and each scenario by itself, so that a large catalogue opens at once. */
export function pageBlocks({ scenarios, ...run }: Report): Block[] {
  const entries = scenarios.map((result): PageEntry => {
    const { name, system, file, verdict } = result
    return { name, system, file, verdict, outcome: outcome(result) }
  })
  return [
    { id: runBlock, json: embedded({ ...run, scenarios: entries } satisfies PageRun) },
    ...scenarios.map((result, index) => ({ id: scenarioBlock(index), json: embedded(shown(result)) })),
  ]
}

/** Without the lives that the page does not draw. */
function shown({ timeline, ...result }: ScenarioResult): ScenarioResult {
  return { ...result, ...(timeline && { timeline: withProcesses(timeline) }) }
}

function withProcesses(timeline: Timeline): Timeline {
  return { ...timeline, lives: timeline.lives.filter(({ process }: Life) => process !== undefined) }
}

/**
 * JSON for a `<script>` element. What comes from outside can neither end the element nor show itself in another order: every
 * character that HTML knows is escaped, and so are control and format characters, as in a terminal.
 */
function embedded(value: object): string {
  const text = JSON.stringify(value, (_, one) => (typeof one === 'string' ? printableLines(one) : one))
  return text.replaceAll(/[<>&]/g, character => `\\u00${character.charCodeAt(0).toString(16)}`)
}
