import type { PageEntry, PageRun } from '../../page-blocks.ts'
import { seconds } from '../../text.ts'
import { byPlace, Verdict, verdictNames } from '../verdicts.tsx'
import { cellParts } from './cells.ts'
import { Matrix } from './matrix.tsx'

/** The run as a whole: when, where, how it ended, and every result in a table. */
export function Overview({ run, order }: { run: PageRun; order: readonly number[] }) {
  const { scenarios, systems, sandbox, startedAt, durationMs, interrupted, errors, fixed = [] } = run
  const entries = order.flatMap(index => {
    const entry = scenarios[index]
    return entry ? [[index, entry] as const] : []
  })
  const cells = entries.filter(([, { name }]) => cellParts(name)).toSorted(byShape)
  const others = entries.filter(([, { name }]) => !cellParts(name))
  return (
    <>
      <h1 tabIndex={-1}>{systems.length === 1 ? <bdi>{systems[0]}</bdi> : 'Overview'}</h1>
      <p class="tally">
        {verdictNames.map(name => {
          const count = scenarios.filter(({ verdict }) => verdict === name).length
          return count > 0 ? (
            <span key={name}>
              <strong>{count}</strong> <Verdict verdict={name} />
            </span>
          ) : null
        })}
      </p>
      <dl class="facts">
        {systems.length > 1 && <Fact name="Systems" value={systems.join(', ')} />}
        <Fact name="Sandbox" value={sandbox.kind} />
        <Fact name="Began" value={timeWithZone(startedAt)} />
        <Fact name="Took" value={seconds(durationMs)} />
      </dl>
      {interrupted && (
        <p class="notice">Interrupted by {interrupted}: scenarios that had not ended are missing.</p>
      )}
      <Messages title="Errors outside of any scenario" texts={errors} />
      <Messages title="Known leaks that are there no more" texts={fixed} />
      {systems.map(system => (
        <Matrix
          key={system}
          title={systems.length > 1 ? `Catalogue: ${system}` : 'Catalogue'}
          corner="Shape"
          cells={cells
            .filter(([, one]) => one.system === system)
            .flatMap(([index, entry]) => {
              const parts = cellParts(entry.name)
              return parts ? { index, entry, row: parts.shape, column: parts.ending } : []
            })}
        />
      ))}
      <Matrix
        title="Scenarios"
        corner="Scenario"
        cells={others.map(([index, entry]) => ({ index, entry, row: entry.name, column: entry.system }))}
      />
    </>
  )
}

/** A catalogue is in the order of its files, as in the terminal, so that systems and runs can be compared. */
const byShape = ([, one]: readonly [number, PageEntry], [, other]: readonly [number, PageEntry]): number =>
  byPlace(one, other)

/** In the reader's own zone, which it names. */
const timeWithZone = (time: string): string =>
  new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' })

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <bdi>{value}</bdi>
      </dd>
    </div>
  )
}

function Messages({ title, texts }: { title: string; texts: readonly string[] }) {
  if (texts.length === 0) return null
  return (
    <section>
      <h2>{title}</h2>
      {texts.map((text, at) => (
        <pre key={at}>{text}</pre>
      ))}
    </section>
  )
}
