import { useMemo, useRef } from 'preact/hooks'
import type { ResourceSlope, SoakResult } from '../../../soak/result.ts'
import { seriesOf } from '../../../soak/series.ts'
import { amounts, nameOf, roundsText, slopeText, verdictTexts } from '../../soak-words.ts'
import { Curve } from '../time/curve.tsx'
import { useTimeWindow } from '../time/use-time-window.ts'

/** How each resource grew from round to round, with its slope for each agent. */
export function Soak({ soak }: { soak: SoakResult }) {
  const { rounds, slopes } = soak
  const agents = useMemo(() => rounds.map(one => one.agents), [rounds])
  const series = useMemo(() => new Map(seriesOf(rounds).map(one => [one.resource, one.values])), [rounds])
  const noted = slopes.toSorted((one, other) => order(one) - order(other))
  return (
    <section>
      <h2>Slopes</h2>
      <p class="lead">{roundsText(soak)}.</p>
      <div class="on-axis">
        <table class="counts slopes">
          <caption class="hidden">Growth of each resource with each agent</caption>
          <thead>
            <tr>
              <th scope="col" class="resource">
                <span class="hidden">Resource</span>
              </th>
              <th scope="col">before</th>
              <th scope="col">warm</th>
              <th scope="col">last</th>
              <th scope="col" class="per-agent">
                each agent
              </th>
              <th scope="col" class="slope-verdict">
                verdict
              </th>
              <td class="curve-head" aria-hidden="true" />
            </tr>
          </thead>
          <tbody>
            {noted.map(slope => (
              <Row
                key={slope.resource}
                slope={slope}
                agents={agents}
                values={series.get(slope.resource) ?? []}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

interface RowProps {
  slope: ResourceSlope
  agents: readonly number[]
  values: readonly number[]
}

const noSteps: readonly never[] = []

function Row({ slope, agents, values }: RowProps) {
  const whole = useMemo(() => ({ from: 0, to: agents.at(-1) ?? 1 }), [agents])
  const shown = useTimeWindow(whole)
  const pointed = useRef<HTMLSpanElement>(null)
  const [before, warm, last] = amounts(slope)
  const show = (value: number | undefined) => {
    if (pointed.current) pointed.current.textContent = value === undefined ? '' : inUnit(slope, value)
  }
  return (
    <tr>
      <th scope="row" class="resource">
        {nameOf(slope)}
      </th>
      <td>{before}</td>
      <td>{warm}</td>
      <td>{last}</td>
      <td>{slopeText(slope)}</td>
      <td class={slope.verdict === 'leak' ? 'more' : undefined}>{verdictTexts[slope.verdict]}</td>
      <td class="curve-cell">
        <Curve
          times={agents}
          values={values}
          baseline={slope.baseline}
          steps={noSteps}
          time={shown}
          onPoint={show}
        />
        <span class="pointed" ref={pointed} aria-hidden="true" />
      </td>
    </tr>
  )
}

function inUnit({ unit }: ResourceSlope, value: number): string {
  return unit === 'bytes' ? (value / 1e6).toFixed(1) : String(value)
}

const verdicts: ResourceSlope['verdict'][] = ['leak', 'inconclusive', 'pass', 'kept']

const order = ({ verdict }: ResourceSlope): number => verdicts.indexOf(verdict)
