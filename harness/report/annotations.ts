import { stripVTControlCharacters } from 'node:util'
import { oneLine, printableLines } from '../terminal.ts'
import { findingsBrief } from './findings-text.ts'
import { outcome } from './outcome.ts'
import type { Report } from './report.ts'
import { rerunCommand } from './rerun.ts'
import type { ScenarioResult } from './scenario-result.ts'
import { cut } from './text.ts'

/** GitHub shows ten errors of a step; the last one counts the rest. */
const mostAnnotations = 10

/** GitHub cuts the text of an annotation at 4096 characters, and its title at 255. */
const longest = { text: 4_000, reasons: 3_000, title: 250 }

/** The place at which GitHub shows an annotation. */
export interface AnnotatedFile {
  /** Its path in the repository. */
  file: string
  line?: number
}

/**
 * GitHub's workflow commands that make an annotation of each scenario that is red or could not be measured: the short summary
 * and how to run it again. Vitest's own reporter would show the stack of an expectation in leakrig's files.
 */
export function annotations(
  { run, scenarios, fixed = [], errors }: Report,
  fileOf: (result: ScenarioResult) => AnnotatedFile | undefined = () => undefined,
): string[] {
  const red = scenarios.filter(({ verdict }) => ['leak', 'collateral', 'inconclusive'].includes(verdict))
  const all = [
    ...red.map(result =>
      command(`${result.name} (${result.system}): ${outcome(result)}`, brief(run, result), fileOf(result)),
    ),
    ...fixed.map(text =>
      command('a known leak is there no more', `${text}: take it out with --update-known`),
    ),
    ...errors.map(text => command('an error outside of any scenario', text)),
  ]
  if (all.length <= mostAnnotations) return all
  const shown = all.slice(0, mostAnnotations - 1)
  return [
    ...shown,
    command('leakrig', `and ${all.length - shown.length} more: the summary of the job has them`),
  ]
}

function brief(run: Report['run'], result: ScenarioResult): string {
  const { notKnown = [], unmet, verdicts, errors } = result
  const findings = verdicts.map(findingsBrief).filter(Boolean)
  const reasons = findings.length > 0 || unmet.length > 0 ? [...notKnown, ...unmet, ...findings] : errors
  return [cut(reasons.join('\n'), longest.reasons), `Run it again: ${rerunCommand(run, result)}`].join('\n')
}

function command(title: string, message: string, place?: AnnotatedFile): string {
  const text = cut(printableLines(stripVTControlCharacters(message)), longest.text)
  const properties = Object.entries({ ...place, title: cut(oneLine(title), longest.title) }).map(
    ([name, value]) => `${name}=${property(oneLine(String(value)))}`,
  )
  return `::error ${properties.join(',')}::${data(text)}`
}

/** As GitHub's own toolkit escapes them. */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
