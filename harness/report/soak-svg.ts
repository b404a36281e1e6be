import { settledFrom } from '../soak/judge.ts'
import type { SoakResult } from '../soak/result.ts'
import { type Series, seriesOf } from '../soak/series.ts'
import { counted } from './text.ts'

const width = 760
const panel = { left: 70, width: 650, height: 120, step: 180 }
const colours = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#8c564b', '#e377c2']

/** What a picture shows even where it never changes. Of the rest, only what has changed. */
const always = ['tmux sessions', 'all processes', 'open descriptors', 'memory of the system']

/** An SVG with a plot for each resource, one below the other, against the number of agents. */
export function soakSvg(result: SoakResult, system: string): string {
  const series = seriesOf(result.rounds).filter(
    ({ resource, values, isKept }) => always.includes(resource) || (!isKept && new Set(values).size > 1),
  )
  const height = 50 + series.length * panel.step
  const agents = result.rounds.map(round => round.agents)
  const title = escaped(`${system}: what there is after ${counted(agents.at(-1) ?? 0, 'agent')}`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${panel.left}" y="24" font-size="15">${title}</text>`,
    ...series.map((one, at) =>
      drawn(one, agents, settledFrom(result), 56 + at * panel.step, colours[at % colours.length] ?? '#000'),
    ),
    '</svg>',
    '',
  ].join('\n')
}

/** @param settled after how many agents the warm-up was over; what is before is shaded */
function drawn(
  { resource, unit, values }: Series,
  agents: number[],
  settled: number,
  top: number,
  colour: string,
): string {
  const { left, width, height } = panel
  const shown = unit === 'bytes' ? values.map(value => value / 1e6) : values
  const most = Math.max(1, agents.at(-1) ?? 1)
  // The axis starts at zero, so that small changes do not look large.
  const highest = niceAbove(Math.max(...shown))
  const x = (count: number) => (left + (count / most) * width).toFixed(1)
  const y = (value: number) => (top + height - (value / highest) * height).toFixed(1)
  const points = shown.map((value, at) => `${x(agents[at] ?? 0)},${y(value)}`).join(' ')
  return [
    `<rect x="${left}" y="${top}" width="${((settled / most) * width).toFixed(1)}" height="${height}" fill="#f4f4f4"/>`,
    ...[0, 0.5, 1].map(part => {
      const value = highest * part
      return `<path d="M${left} ${y(value)}h${width}" stroke="#ddd"/><text x="${left - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${value}</text>`
    }),
    ...[0, 0.25, 0.5, 0.75, 1].map(part => {
      const count = Math.round(most * part)
      return `<text x="${x(count)}" y="${top + height + 16}" text-anchor="middle">${count}</text>`
    }),
    `<text x="${left}" y="${top - 8}" fill="${colour}">${escaped(resource)}${unit === 'bytes' ? ', MB' : ''}</text>`,
    `<text x="${left + width}" y="${top + height + 32}" text-anchor="end">agents</text>`,
    `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
  ].join('\n')
}

/** The top of the axis: at least 5 % above the value, and a number whose half is short. */
function niceAbove(value: number): number {
  const wanted = Math.max(2, value * 1.05)
  const size = 10 ** Math.floor(Math.log10(wanted))
  return [2, 4, 6, 8, 10].map(part => part * size).find(top => top >= wanted) ?? 10 * size
}

function escaped(text: string): string {
  return text.replaceAll(/[^\w .,:()/-]/gu, character => `&#${character.codePointAt(0)};`)
}
