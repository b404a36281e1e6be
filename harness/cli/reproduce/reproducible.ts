import leven from 'leven'
import { callOf } from '../../../bin/programs.ts'
import { oneLine } from '../../terminal.ts'
import { UsageError } from '../exit.ts'
import { type EndingChoice, endingChoices, shapeNamed, shapes } from './shapes.ts'

/** Something that can be reproduced: one test of ours, and what it is given. */
export interface Reproducible {
  /** What the user calls it. */
  name: string
  /** What it does, in a line. */
  what: string
  /** The project of vitest-config.ts, and the whole name of the test in it. */
  project: 'scenarios' | 'catalogue' | 'reproduce'
  test: string
  shape?: string
  ending?: string
}

interface Scenario {
  what: string
  test: string
}

/** The scenarios by short names; harness/test/reproduce/names.test.ts holds the names of the tests. */
export const scenarios: Record<string, Scenario> = {
  'normal-completion': {
    what: 'an agent reports that it has completed, and stays',
    test: 'normal completion',
  },
  'completion-and-exit': {
    what: 'an agent reports that it has completed, and exits by itself',
    test: 'normal completion of an agent that then leaves by itself',
  },
  'manual-kill': {
    what: 'an agent is killed in the middle of its work',
    test: 'manual kill in the middle of the work',
  },
  'crash-claude': {
    what: 'one claude dies in the middle of a line, another gets kill -9',
    test: 'crash: one claude dies in mid-line, another gets kill -9',
  },
  'crash-pane': {
    what: 'the process of a pane gets kill -9, and another session is ended',
    test: 'crash: the process of one pane gets kill -9, a session is ended',
  },
  'crash-server': {
    what: 'the tmux server gets kill -9',
    test: 'crash: the tmux server gets kill -9',
  },
  'ten-agents': {
    what: 'ten agents complete, seven of them at once, beside what is not theirs',
    test: 'ten agents: seven complete at once, three one after another',
  },
}

const report = {
  name: 'report',
  what: 'the evidence of the report: 4 sessions, 54 claude processes, 78 prompts, 38 stream logs (minutes)',
  project: 'reproduce',
  test: 'the evidence of the report',
} as const satisfies Reproducible

/** Between a shape and an ending in the name of a cell. */
const times = ' × '

/**
 * What a name means: a shape or several joined with +, a scenario, `report`, or the name of a cell of the catalogue.
 * @param ending how an agent with a shape ends
 * @throws UsageError for a name that nothing has, with the most similar one, and for an ending of what has its own
 */
export function reproducible(name: string, ending?: EndingChoice): Reproducible {
  const found = withoutEnding(name)
  if (found) {
    if (ending === undefined) return found
    throw new UsageError(
      `--ending ${ending} is refused: ${oneLine(JSON.stringify(name))} has its own ending; leave the option out.`,
    )
  }
  const shape = shapeNamed(name)
  if (!shape) throw unknown(name)
  const how = ending ?? shape.ending
  const what = `${shape.what}; the agent ${endings[how]}`
  return { name, what, project: 'reproduce', test: 'a leak shape', shape: name, ending: endingChoices[how] }
}

const endings: Record<EndingChoice, string> = {
  completes: 'completes',
  reported: 'is reported completed',
  killed: 'is killed by the system',
  crashed: 'loses its claude to kill -9',
}

function withoutEnding(name: string): Reproducible | undefined {
  if (name === report.name) return report
  const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined
  if (scenario) return { name, project: 'scenarios', ...scenario }
  if (!name.includes(times)) return undefined
  return { name, what: 'a cell of the catalogue, among all bystanders', project: 'catalogue', test: name }
}

/** Every name with what it does, in groups. */
export function listText(): string {
  const all = { ...scenarios, ...shapes, report }
  const width = Math.max(...Object.keys(all).map(name => name.length))
  const lines = (group: Record<string, { what: string }>) =>
    Object.entries(group).map(([name, { what }]) => `  ${name.padEnd(width)}  ${what}`)
  return [
    'the report:',
    ...lines({ report }),
    'scenarios:',
    ...lines(scenarios),
    'leak shapes, also joined with + (own-session+stopped):',
    ...lines(shapes),
    `and every cell of the catalogue by its name, such as 'own-session${times}crashed'`,
  ].join('\n')
}

/** In a combination only the wrong part is corrected. */
function unknown(name: string): UsageError {
  const parts = name.split('+')
  const all = [...Object.keys(shapes), ...(parts.length > 1 ? [] : [report.name, ...Object.keys(scenarios)])]
  const corrected = parts.map(part => (all.includes(part) ? part : nearest(part, all)))
  const hint = corrected.includes(undefined) ? '' : ` Did you mean ${corrected.join('+')}?`
  return new UsageError(
    `Nothing is called ${oneLine(JSON.stringify(name))}.${hint} "${callOf('reproduce')} --list" lists what can be reproduced.`,
  )
}

/** The name that is most similar; undefined where more than a third of it would have to change. */
function nearest(name: string, all: readonly string[]): string | undefined {
  const distances = all.map(one => ({ one, distance: leven(one, name) }))
  const [first] = distances.toSorted((one, other) => one.distance - other.distance)
  return first && first.distance <= Math.max(1, Math.floor(name.length / 3)) ? first.one : undefined
}
