import { oneLine } from '../platform/one-line.ts'

/** One value of a family. Only the parts of a histogram have a suffix. */
export interface Sample {
  suffix?: '_bucket' | '_sum' | '_count'
  labels?: Readonly<Record<string, string>>
  value: number
}

/** A Prometheus metric family: one name with its samples. */
export interface Family {
  name: string
  help: string
  type: 'gauge' | 'counter' | 'histogram'
  samples: readonly Sample[]
}

/** The content type of the text format, for HTTP. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/**
 * Families in Prometheus' text exposition format, 0.0.4. A family without samples is left out, because a scraper would
 * read an unknown value as 0. Throws for a name that the format does not allow.
 */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) => {
      const head = `# HELP ${checked(NAME, name)} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
      return head + samples.map(sample => line(name, sample)).join('')
    })
    .join('')
}

function line(family: string, { suffix, labels = {}, value }: Sample): string {
  const name = family + (suffix ?? '')
  const pairs = Object.entries(labels).map(([label, of]) => `${checked(LABEL, label)}="${escapeLabel(of)}"`)
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${number(value)}\n`
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
// A path may contain anything, and people read this in a terminal too. The format itself escapes line ends only.
const escapeLabel = (text: string): string =>
  escapeHelp(text.split('\n').map(oneLine).join('\n')).replaceAll('"', '\\"')

function number(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

function checked(shape: RegExp, name: string): string {
  if (shape.test(name)) return name
  throw new Error(`${JSON.stringify(name)} is not a name that the exposition format allows`)
}
