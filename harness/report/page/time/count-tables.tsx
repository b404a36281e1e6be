import type { CountTable } from '../../../timeline/counts.ts'
import type { Timeline } from '../../../timeline/timeline.ts'
import { countRows, countText } from '../../count-rows.ts'
import { ScrollArea } from '../scroll-area.tsx'
import { drawnRows } from './drawn-rows.ts'
import { SignalTable } from './signal-table.tsx'
import { timeText } from './time-window.ts'

/** Every count, and every change of those that are drawn: what the curves show, in numbers. */
export function CountTables({ table, timeline }: { table: CountTable; timeline: Timeline }) {
  const rows = countRows(table)
  const columns = drawnRows(table)
  return (
    <div class="tables">
      <details>
        <summary>All counts</summary>
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">Count</th>
              {['baseline', 'peak', 'settled'].map(name => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(row => (
              <tr key={row.name}>
                <th scope="row" class={row.isPart ? 'part' : undefined}>
                  {row.name}
                </th>
                <td>{countText(row, row.of(table.baseline))}</td>
                <td>{countText(row, row.of(table.peak))}</td>
                <td>{countText(row, row.of(table.settled))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
      <details>
        <summary>Every change of the curves</summary>
        <ScrollArea label="Every change of the curves">
          <table class="numbers">
            <thead>
              <tr>
                <th scope="col">Time</th>
                {columns.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {timeline.samples.map(({ at, counts }) => (
                <tr key={at}>
                  <th scope="row">{timeText(at, 0)}</th>
                  {columns.map(row => (
                    <td key={row.name}>{countText(row, row.of(counts))}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollArea>
      </details>
      {timeline.signals && <SignalTable signals={timeline.signals} />}
    </div>
  )
}
