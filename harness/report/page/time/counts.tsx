import { useMemo, useRef } from 'preact/hooks'
import type { CountTable } from '../../../timeline/counts.ts'
import type { Timeline } from '../../../timeline/timeline.ts'
import { type CountRow, countText } from '../../count-rows.ts'
import { Curve } from './curve.tsx'
import { drawnRows } from './drawn-rows.ts'
import type { StepGroup } from './steps.ts'
import type { TimeControl } from './time-window.ts'

interface Props {
  table: CountTable
  timeline: Timeline
  steps: readonly StepGroup[]
  time: TimeControl
  /** Files that a policy keeps. */
  kept: number
  /** Whether what is left is too much. */
  isRed: boolean
}

/** The counts at the baseline, at the peak and settled, each with its curve. */
export function Counts({ table, ...props }: Props) {
  const { timeline } = props
  const rows = useMemo(() => drawnRows(table), [table])
  const times = useMemo(() => [...timeline.samples.map(({ at }) => at), timeline.endedAt], [timeline])
  return (
    <table class="counts">
      <caption class="hidden">Counts at the baseline, at the peak and settled</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="hidden">Count</span>
          </th>
          <th scope="col">baseline</th>
          <th scope="col">peak</th>
          <th scope="col">settled</th>
          <td class="curve-head" aria-hidden="true" />
        </tr>
      </thead>
      <tbody>
        {rows.map(row => (
          <Row key={row.name} row={row} table={table} times={times} {...props} />
        ))}
      </tbody>
    </table>
  )
}

interface RowProps extends Props {
  row: CountRow
  times: readonly number[]
}

function Row({ row, table, timeline, times, steps, time, kept, isRed }: RowProps) {
  const values = useMemo(() => {
    const all = timeline.samples.map(({ counts }) => row.of(counts))
    return [...all, all.at(-1) ?? 0]
  }, [timeline, row])
  const pointed = useRef<HTMLSpanElement>(null)
  const show = (value: number | undefined) => {
    if (pointed.current) pointed.current.textContent = value === undefined ? '' : countText(row, value)
  }
  return (
    <tr>
      <th scope="row">
        {row.name} {row.name === 'files' && kept > 0 && <span class="quiet">({kept} kept)</span>}
      </th>
      <td>{countText(row, row.of(table.baseline))}</td>
      <td>{countText(row, row.of(table.peak))}</td>
      <Settled row={row} table={table} isRed={isRed} />
      <td class="curve-cell">
        <Curve
          times={times}
          values={values}
          baseline={row.of(table.baseline)}
          steps={steps}
          time={time}
          onPoint={show}
        />
        <span class="pointed" ref={pointed} aria-hidden="true" />
      </td>
    </tr>
  )
}

/** Marked where more is left than there was, by a sign too. Memory is never the same twice. */
function Settled({ row, table, isRed }: Pick<RowProps, 'row' | 'table' | 'isRed'>) {
  const more = isRed && row.unit === undefined && row.of(table.settled) > row.of(table.baseline)
  return (
    <td class={more ? 'more' : undefined}>
      {more && <span aria-hidden="true">↑</span>}
      {countText(row, row.of(table.settled))}
    </td>
  )
}
