import { useMemo, useState } from 'preact/hooks'
import type { Ignored } from '../../../snapshot/snapshot.ts'
import type { Timeline } from '../../../timeline/timeline.ts'
import { knownTexts } from '../../known-texts.ts'
import { outcome } from '../../outcome.ts'
import type { ScenarioResult } from '../../scenario-result.ts'
import { seconds } from '../../text.ts'
import { readScenario } from '../data.ts'
import { OverTime } from '../time/over-time.tsx'
import { isRed, Verdict } from '../verdicts.tsx'
import { Findings } from './findings.tsx'
import { Soak } from './soak.tsx'
import { ProcessTree } from './tree.tsx'

/** One scenario: its verdict, what is wrong, what happened over time, and what was left out. */
export function Scenario({ index }: { index: number }) {
  const result = readScenario(index)
  const { name, system, file, verdict, verdicts, durationMs, timeline, kept, soak } = result
  return (
    <article>
      <header class="scenario-head">
        <p>
          <Verdict verdict={verdict} />{' '}
          {outcome(result) !== verdict && <span class="outcome">{outcome(result)}</span>}
        </p>
        <h1 tabIndex={-1}>
          <bdi>{name}</bdi>
        </h1>
        <p class="meta">
          system <bdi>{system}</bdi> · <bdi>{file}</bdi> · {seconds(durationMs)}
        </p>
      </header>
      {soak && <Soak soak={soak} />}
      <Reasons result={result} />
      <Findings verdicts={verdicts} />
      {timeline && !soak && <Processes result={result} timeline={timeline} />}
      {timeline && soak && <FoldedProcesses result={result} timeline={timeline} />}
      {!timeline && !soak && <p class="quiet">There is no time line of it.</p>}
      <LeftOut result={result} />
      {kept && (
        <p class="quiet">
          A copy of its files: <bdi>{kept}</bdi>
        </p>
      )}
    </article>
  )
}

interface ProcessesProps {
  result: ScenarioResult
  timeline: Timeline
}

/** The agents of a soak are hundreds, and drawn when somebody wants to see them. */
function FoldedProcesses(props: ProcessesProps) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>Every agent over time, and the process tree</summary>
      {isOpen && <Processes {...props} />}
    </details>
  )
}

/** What happened over time, and the processes at three moments. */
function Processes({ result: { verdict, verdicts }, timeline }: ProcessesProps) {
  const leaked = useMemo(() => new Set(verdicts.flatMap(one => one.leaks.map(({ id }) => id))), [verdicts])
  return (
    <>
      <OverTime verdicts={verdicts} timeline={timeline} leaked={leaked} isRed={isRed(verdict)} />
      <section>
        <h2>Process tree</h2>
        <ProcessTree timeline={timeline} leaked={leaked} first={isRed(verdict) ? 'after' : 'peak'} />
      </section>
    </>
  )
}

/** Why it has its verdict, as far as no finding says it. */
function Reasons({ result }: { result: ScenarioResult }) {
  const { verdicts, unmet, errors, notKnown = [], soak } = result
  const hasFindings = verdicts.some(({ result }) => result !== 'pass')
  const all = [...notKnown, ...(hasFindings ? unmet : errors), ...knownTexts(result)]
  // Each line of a soak is a sentence.
  const texts = soak && all.length > 0 ? [all.join('\n')] : all
  if (texts.length === 0) return null
  return (
    <section>
      <h2>Why</h2>
      {texts.map((text, at) => (
        <pre key={at}>{text}</pre>
      ))}
    </section>
  )
}

/** What the verdict does not count, with the reasons. */
function LeftOut({ result: { verdicts, leftOut } }: { result: ScenarioResult }) {
  const last = verdicts.at(-1)
  const lists: [title: string, items: LeftOutItem[]][] = [
    ['Kept by policy', (last?.kept ?? []).map(ignoredItem)],
    ['Left out of every snapshot', (last?.ignored ?? []).map(ignoredItem)],
    ['Seen, not counted', (last?.notes ?? []).map(sentence)],
    ['Not checked, because the system does not declare it', leftOut.map(sentence)],
  ]
  const shown = lists.filter(([, items]) => items.length > 0)
  if (shown.length === 0) return null
  return (
    <section>
      <h2>Not counted</h2>
      <div class="left-out">
        {shown.map(([title, items]) => (
          <div key={title}>
            <h3>{title}</h3>
            <ul>
              {items.map(({ number, text }) => (
                <li key={text}>
                  <span class="number">{number}</span> <span>{text}</span>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </section>
  )
}

interface LeftOutItem {
  number: string
  text: string
}

/** Only a path says more than the reason does. */
function ignoredItem({ count, what, why }: Ignored): LeftOutItem {
  return { number: String(count), text: what.includes('/') ? `${why} (${what})` : why }
}

const sentence = (text: string): LeftOutItem => ({ number: '', text })
