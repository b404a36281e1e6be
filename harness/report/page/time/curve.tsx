import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { StepGroup } from './steps.ts'
import type { TimeControl } from './time-window.ts'

interface Props {
  times: readonly number[]
  /** Each holds until the next time. */
  values: readonly number[]
  baseline: number
  steps: readonly StepGroup[]
  time: TimeControl
  /** Shows the value where the pointer is; undefined where it is nowhere. */
  onPoint: (value: number | undefined) => void
}

const height = 44

/** A count over time, drawn against its baseline, with a line for each step. All curves of a page share one pointer. */
export function Curve({ times, values, baseline, steps, time, onPoint }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const live = useRef({ time, onPoint })
  live.current = { time, onPoint }

  useEffect(() => {
    const host = place.current
    if (!host) return
    const draw = new uPlot(options(host, { baseline, steps, values }, live), [[...times], [...values]], host)
    plot.current = draw
    const resized = new ResizeObserver(() => draw.setSize({ width: host.clientWidth, height }))
    resized.observe(host)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const redraw = () => draw.redraw()
    scheme.addEventListener('change', redraw)
    return () => {
      resized.disconnect()
      scheme.removeEventListener('change', redraw)
      draw.destroy()
    }
  }, [times, values, baseline, steps])

  useEffect(() => plot.current?.setScale('x', { min: time.from, max: time.to }), [time.from, time.to])
  return <div class="curve" ref={place} aria-hidden="true" />
}

type Live = { current: Pick<Props, 'time' | 'onPoint'> }
type Drawn = Pick<Props, 'baseline' | 'steps' | 'values'>

function options(host: HTMLElement, { baseline, steps, values }: Drawn, live: Live): uPlot.Options {
  const color = (name: string) => getComputedStyle(host).getPropertyValue(name)
  const { from, to } = live.current.time
  return {
    width: host.clientWidth,
    height,
    padding: [4, 0, 2, 0],
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    cursor: {
      y: false,
      points: { show: false },
      sync: { key: 'time' },
      drag: { x: true, y: false, setScale: false },
      bind: {
        dblclick: () => () => {
          live.current.time.reset()
          return null
        },
      },
    },
    scales: {
      x: { time: false, min: from, max: to, range: (_, min, max) => [min, max] },
      y: { range: () => [0, Math.max(1, baseline, ...values) * 1.08] },
    },
    series: [
      {},
      {
        stroke: () => color('--curve'),
        fill: () => color('--curve-fill'),
        width: 1.5,
        points: { show: false },
        paths: uPlot.paths.stepped?.({ align: 1 }) ?? null,
      } as uPlot.Series,
    ],
    hooks: {
      drawClear: [
        plot =>
          drawLines(
            plot,
            steps.map(({ at }) => at),
            color('--line'),
          ),
      ],
      draw: [plot => drawBaseline(plot, baseline, color('--baseline'))],
      setCursor: [plot => live.current.onPoint(valueUnder(plot))],
      setSelect: [
        plot => {
          const { left, width } = plot.select
          if (width > 4) live.current.time.show(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'))
          if (width > 0) plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}

/** The value that holds where the pointer is. */
function valueUnder(plot: uPlot): number | undefined {
  const { left = -1 } = plot.cursor
  if (left < 0) return undefined
  const at = plot.posToVal(left, 'x')
  const index = plot.data[0].findLastIndex(time => time <= at)
  return plot.data[1]?.[index] ?? undefined
}

function drawLines({ ctx, bbox, valToPos, scales }: uPlot, at: readonly number[], color: string): void {
  const { min = 0, max = 0 } = scales.x ?? {}
  ctx.save()
  ctx.strokeStyle = color
  ctx.lineWidth = devicePixelRatio
  ctx.beginPath()
  for (const time of at) {
    if (time < (min ?? 0) || time > (max ?? 0)) continue
    const x = Math.round(valToPos(time, 'x', true)) + 0.5
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
  }
  ctx.stroke()
  ctx.restore()
}

function drawBaseline({ ctx, bbox, valToPos }: uPlot, value: number, color: string): void {
  const y = Math.round(valToPos(value, 'y', true))
  ctx.save()
  ctx.strokeStyle = color
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio])
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.restore()
}
