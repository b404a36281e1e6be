import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { PageRun } from '../page-blocks.ts'
import { Navigation } from './navigation.tsx'
import { Overview } from './overview/overview.tsx'
import { Scenario } from './scenario/scenario.tsx'
import { bySeverity } from './verdicts.tsx'
import { useView } from './view.ts'

/** The page: the list of scenarios, and what is chosen in it. At first that is the worst one. */
export function App({ run }: { run: PageRun }) {
  const { scenarios } = run
  const order = useMemo(() => [...scenarios.keys()].toSorted(bySeverityIn(scenarios)), [scenarios])
  const view = useView(order[0] ?? 'overview', scenarios.length)
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)
  useEffect(() => {
    document.title = `${view === 'overview' ? 'Overview' : scenarios[view]?.name} · leakrig report`
    if (isFirst.current) isFirst.current = false
    else {
      scrollTo(0, 0)
      main.current?.querySelector('h1')?.focus({ preventScroll: true })
    }
  }, [view, scenarios])
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the results
      </button>
      <div class="page">
        <Navigation run={run} order={order} view={view} />
        <main id="main" tabIndex={-1} ref={main}>
          {view === 'overview' ? <Overview run={run} order={order} /> : <Scenario key={view} index={view} />}
        </main>
      </div>
    </>
  )
}

const bySeverityIn = (scenarios: PageRun['scenarios']) => (one: number, other: number) => {
  const [first, second] = [scenarios[one], scenarios[other]]
  return first && second ? bySeverity(first, second) : 0
}
