/** The daemon's usage after that many agents. */
export interface Sample {
  agents: number
  rssMb: number
  descriptors: number
}

const WIDTH = 760
const PANEL = { left: 70, width: 650, height: 170 }

/** An SVG with two plots, one above the other: memory and descriptors against the number of agents cleaned up. */
export function soakSvg(samples: Sample[], title: string): string {
  const height = 40 + 2 * (PANEL.height + 60)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>The daemon’s own memory and descriptors: ${title}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${PANEL.left}" y="24" font-size="15">The daemon’s own memory and descriptors: ${title}</text>`,
    panel(samples, 50, 'resident memory, MB', '#1f77b4', ({ rssMb }) => rssMb),
    panel(samples, 50 + PANEL.height + 60, 'open descriptors', '#d62728', ({ descriptors }) => descriptors),
    '</svg>',
    '',
  ].join('\n')
}

function panel(
  samples: Sample[],
  top: number,
  name: string,
  colour: string,
  value: (sample: Sample) => number,
): string {
  const { left, width, height } = PANEL
  const most = samples.at(-1)?.agents ?? 1
  // The axis starts at zero, so that small changes do not look large.
  const highest = niceAbove(Math.max(...samples.map(value)))
  const x = (agents: number) => left + (agents / most) * width
  const y = (shown: number) => top + height - (shown / highest) * height
  const points = samples
    .map(sample => `${x(sample.agents).toFixed(1)},${y(value(sample)).toFixed(1)}`)
    .join(' ')
  const rows = [0, 0.25, 0.5, 0.75, 1].map(part => highest * part)
  const columns = [0, 0.25, 0.5, 0.75, 1].map(part => most * part)
  return [
    ...rows.map(
      row =>
        `<path d="M${left} ${y(row).toFixed(1)}h${width}" stroke="#ddd"/><text x="${left - 8}" y="${(y(row) + 4).toFixed(1)}" text-anchor="end">${row}</text>`,
    ),
    ...columns.map(
      column =>
        `<text x="${x(column).toFixed(1)}" y="${top + height + 18}" text-anchor="middle">${column}</text>`,
    ),
    `<text x="${left}" y="${top - 8}" fill="${colour}">${name}</text>`,
    `<text x="${left + width}" y="${top + height + 34}" text-anchor="end">agents cleaned up</text>`,
    `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
  ].join('\n')
}

/** The top of the axis: at least 5 % above the value, and a multiple of 20 or 40, so that its quarters are whole numbers. */
function niceAbove(value: number): number {
  const step = value > 40 ? 40 : 20
  return Math.ceil((value * 1.05) / step) * step
}
