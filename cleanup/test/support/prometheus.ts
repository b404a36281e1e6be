/** One metric family, as a strict parser of the text format reads it. */
export interface ParsedFamily {
  type: string
  help: string
  samples: { name: string; labels: Record<string, string>; value: number }[]
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/
const NUMBER = /^(?:[+-]Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/

/**
 * Parses Prometheus' text exposition format 0.0.4. Throws for anything the format forbids: a sample before its TYPE, a
 * split family, a duplicate series, an invalid escape, an inconsistent histogram.
 */
export function parsePrometheus(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no newline')
  const families = new Map<string, ParsedFamily>()
  let current: { name: string; family: ParsedFamily } | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment) {
      const [, kind, name = '', rest = ''] = comment
      if (kind === 'HELP') {
        if (families.has(name)) throw new Error(`${name} appears twice`)
        current = { name, family: { help: decode(rest, false), type: '', samples: [] } }
        families.set(name, current.family)
      } else {
        if (current?.name !== name || current.family.type !== '')
          throw new Error(`TYPE of ${name} is out of place`)
        if (!/^(?:counter|gauge|histogram)$/.test(rest)) throw new Error(`${name} has the type ${rest}`)
        current.family.type = rest
      }
      continue
    }
    const sample = parseSample(line)
    if (!current || !belongs(sample.name, current.name, current.family.type))
      throw new Error(`${sample.name} is out of place`)
    current.family.samples.push(sample)
  }
  for (const [name, family] of families) checkFamily(name, family)
  return families
}

function parseSample(line: string): ParsedFamily['samples'][number] {
  const found = SAMPLE.exec(line)
  if (!found?.[1] || !NUMBER.test(found[3] ?? '')) throw new Error(`not a sample: ${line}`)
  const labels: Record<string, string> = {}
  for (let rest = found[2] ?? ''; rest !== ''; ) {
    const label = LABEL.exec(rest)
    if (!label?.[1] || label[1] in labels) throw new Error(`invalid labels: ${line}`)
    labels[label[1]] = decode(label[2] ?? '', true)
    rest = rest.slice(label[0].length)
  }
  const value = Number(found[3]?.replace('Inf', 'Infinity'))
  return { name: found[1], labels, value }
}

function belongs(name: string, family: string, type: string): boolean {
  if (type === '') return false
  return type === 'histogram'
    ? ['_bucket', '_sum', '_count'].some(suffix => name === family + suffix)
    : name === family
}

function checkFamily(name: string, { type, samples }: ParsedFamily): void {
  if (samples.length === 0) throw new Error(`${name} has no sample`)
  const series = samples.map(sample => JSON.stringify([sample.name, Object.entries(sample.labels).sort()]))
  if (new Set(series).size !== series.length) throw new Error(`${name} has a duplicate series`)
  if (type === 'counter' && !name.endsWith('_total'))
    throw new Error(`the counter ${name} does not end with _total`)
  if (type === 'histogram') checkHistogram(name, samples)
}

function checkHistogram(name: string, samples: ParsedFamily['samples']): void {
  const buckets = samples.filter(sample => sample.name === `${name}_bucket`)
  const bounds = buckets.map(({ labels }) => Number(labels.le?.replace('Inf', 'Infinity')))
  const counts = buckets.map(({ value }) => value)
  const rises = (values: number[], strictly: boolean) =>
    values.every(
      (value, n) => n === 0 || value > (values[n - 1] ?? 0) || (!strictly && value === values[n - 1]),
    )
  if (!rises(bounds, true) || bounds.at(-1) !== Infinity)
    throw new Error(`the bucket bounds of ${name} do not increase up to +Inf`)
  if (!rises(counts, false)) throw new Error(`the buckets of ${name} are not cumulative`)
  const count = samples.find(sample => sample.name === `${name}_count`)?.value
  if (count === undefined || count !== counts.at(-1))
    throw new Error(`${name}_count differs from its +Inf bucket`)
  if (!samples.some(sample => sample.name === `${name}_sum`)) throw new Error(`${name} has no sum`)
}

function decode(text: string, quotes: boolean): string {
  return text.replaceAll(/\\(.?)/g, (whole, next: string) => {
    if (next === 'n') return '\n'
    if (next === '\\' || (quotes && next === '"')) return next
    throw new Error(`invalid escape: ${whole}`)
  })
}
