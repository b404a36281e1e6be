import project from '../../package.json' with { type: 'json' }
import type { Interruption } from '../report/exit-codes.ts'
import type { Run } from '../report/report.ts'
import { type Chosen, nameOf } from './chosen-systems.ts'

/** What is run, for the report. */
export function describedRun({
  systems,
  ...rest
}: Omit<Run, 'version' | 'systems'> & { systems: readonly Chosen[] }): Run {
  return { version: project.version, ...rest, systems: systems.map(nameOf) }
}

/** Whether a run has measured everything that its command can run. */
export function isEverything(
  { selection, shard }: Run,
  interrupted: Interruption | undefined,
  errors: readonly string[],
): boolean {
  return selection.length === 0 && shard === undefined && interrupted === undefined && errors.length === 0
}
