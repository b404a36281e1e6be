import type { PageEntry } from '../../page-blocks.ts'
import { ScrollArea } from '../scroll-area.tsx'
import { Mark, words } from '../verdicts.tsx'
import { addressOf } from '../view.ts'

interface Cell {
  index: number
  entry: PageEntry
  row: string
  column: string
}

/** Results as a table, its rows in the order of the cells, whose cells lead to the scenario. */
export function Matrix({ title, corner, cells }: { title: string; corner: string; cells: readonly Cell[] }) {
  if (cells.length === 0) return null
  const columns = [...new Set(cells.map(({ column }) => column))].toSorted()
  const rows = Map.groupBy(cells, ({ row }) => row)
  return (
    <section>
      <h2>
        <bdi>{title}</bdi>
      </h2>
      <ScrollArea label={title}>
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">{corner}</th>
              {columns.map(column => (
                <th key={column} scope="col">
                  <bdi>{column}</bdi>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[...rows].map(([row, mine]) => (
              <tr key={row}>
                <th scope="row">
                  <bdi>{row}</bdi>
                </th>
                {columns.map(column => (
                  <td key={column}>
                    {mine
                      .filter(cell => cell.column === column)
                      .map(({ index, entry }) => (
                        <a
                          key={index}
                          class={`cell ${entry.verdict}`}
                          href={addressOf(index)}
                          aria-label={`${said(entry)}: ${entry.name}`}
                        >
                          <Mark verdict={entry.verdict} /> <span>{short(entry)}</span>
                        </a>
                      ))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollArea>
    </section>
  )
}

/** "leak, 27 leaked"; what only repeats the verdict is said once. */
const said = ({ verdict, outcome }: PageEntry): string =>
  outcome === words[verdict] ? outcome : `${words[verdict]}, ${outcome}`

/** "1.9 s", "27": the mark in front of it says the rest. */
function short({ outcome }: PageEntry): string {
  return outcome.replace(/^back in /, '').replace(/ leaked$/, '')
}
