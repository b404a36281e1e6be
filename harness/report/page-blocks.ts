import type { Report } from './report.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** What a page shows of a run before a scenario is chosen. */
export interface PageRun extends Omit<Report, 'scenarios'> {
  scenarios: PageEntry[]
}

/** A scenario in the list. Its results are in a block of their own, which is read when it is chosen. */
export interface PageEntry extends Pick<ScenarioResult, 'name' | 'system' | 'file' | 'verdict'> {
  /** In a few words: "27 leaked", "back in 1.9 s". */
  outcome: string
}

/** A block of JSON in a page, by the id of its element. */
export interface Block {
  id: string
  json: string
}

export const runBlock = 'data-run'
export const scenarioBlock = (index: number): string => `data-scenario-${index}`
