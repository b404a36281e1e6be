import type { PageRun } from '../../page-blocks.ts'
import { seconds } from '../../text.ts'
import { Verdict, verdictNames } from '../verdicts.tsx'
import { cellParts } from './cells.ts'
import { Matrix } from './matrix.tsx'

/** The run as a whole: when, where, how it ended, and every result in a table. */
export function Overview({ run }: { run: PageRun }) {
  const { scenarios, systems, sandbox, startedAt, durationMs, interrupted, errors, fixed = [] } = run
  const cells = [...scenarios.entries()].filter(([, { name }]) => cellParts(name))
  const others = [...scenarios.entries()].filter(([, { name }]) => !cellParts(name))
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
        <Fact name={systems.length === 1 ? 'System' : 'Systems'} value={systems.join(', ')} />
        <Fact name="Sandbox" value={sandbox.kind} />
        <Fact name="Began" value={new Date(startedAt).toLocaleString()} />
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
