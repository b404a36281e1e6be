import project from '../../package.json' with { type: 'json' }
import type { Run } from '../report/report.ts'
import { type Chosen, nameOf } from './chosen-systems.ts'

/** What is run, for the report. */
export function describedRun({
  systems,
  ...rest
}: Omit<Run, 'version' | 'systems'> & { systems: readonly Chosen[] }): Run {
  return { version: project.version, ...rest, systems: systems.map(nameOf) }
}
