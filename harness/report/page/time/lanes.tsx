import { useMemo } from 'preact/hooks'
import type { Life, Signal, Timeline } from '../../../timeline/timeline.ts'
import { seconds } from '../../text.ts'
import { nameOf } from '../process-names.ts'
import { groupLanes, type Lane, type LaneGroup } from './lane-groups.ts'
import { SignalMarks } from './signal-marks.tsx'
import type { StepGroup } from './steps.ts'
import { placeAt, timeText } from './time-window.ts'

interface Props {
  timeline: Timeline
  steps: readonly StepGroup[]
  /** Ids of what leaked, and of what was harmed. */
  leaked: ReadonlySet<string>
  harmed: ReadonlySet<string>
}

/** More lanes are drawn only when they come into sight. */
const mostAtOnce = 300

/**
 * A lane for each process, from the first snapshot that showed it to the first that did not. They do not depend on the part of
 * the time that is shown: the style of an element around them does that.
 */
export function Lanes({ timeline, steps, leaked, harmed }: Props) {
  const groups = useMemo(() => groupLanes(timeline.lives), [timeline])
  const signals = useMemo(() => Map.groupBy(timeline.signals ?? [], one => one.process), [timeline])
  return useMemo(
    () => (
      <div class={timeline.lives.length > mostAtOnce ? 'lanes many' : 'lanes'}>
        {groups.map(group => (
          <Group
            key={group.agent ?? String(group.isBaseline)}
            group={group}
            end={timeline.endedAt}
            signals={signals}
            steps={steps}
            leaked={leaked}
            harmed={harmed}
          />
        ))}
      </div>
    ),
    [groups, timeline, signals, steps, leaked, harmed],
  )
}

interface GroupProps extends Omit<Props, 'timeline'> {
  group: LaneGroup
  end: number
  /** By the process that they were sent to. */
  signals: ReadonlyMap<string, Signal[]>
}

function Group({ group: { agent, isBaseline, lanes }, end, signals, steps, leaked, harmed }: GroupProps) {
  const left = lanes.filter(({ life }) => leaked.has(life.id)).length
  const title = agent ?? (isBaseline ? 'There before the first deploy' : 'Of no known agent')
  return (
    <details class="group" open={!isBaseline} style={{ '--lanes': String(lanes.length) }}>
      <summary>
        <span class="agent">
          <bdi>{title}</bdi>
        </span>
        <span class="group-count">
          {lanes.length} {lanes.length === 1 ? 'process' : 'processes'}
          {left > 0 && <span class="left-count"> · {left} leaked</span>}
        </span>
      </summary>
      <div class="group-lanes on-axis">
        <div class="step-lines" aria-hidden="true">
          {steps.map(({ number, at }) => (
            <i key={number} style={placeAt(at)} />
          ))}
        </div>
        <ol>
          {lanes.map(lane => (
            <LaneRow
              key={lane.life.id}
              lane={lane}
              end={end}
              signals={signals.get(lane.life.id)}
              state={stateOf(lane.life, leaked, harmed)}
            />
          ))}
        </ol>
      </div>
    </details>
  )
}

type State = 'leaked' | 'harmed' | 'stays' | 'baseline' | 'ended'

function stateOf(life: Life, leaked: ReadonlySet<string>, harmed: ReadonlySet<string>): State {
  if (leaked.has(life.id)) return 'leaked'
  if (harmed.has(life.id)) return 'harmed'
  if (life.isBaseline) return 'baseline'
  return life.to === undefined ? 'stays' : 'ended'
}

interface LaneProps {
  lane: Lane
  end: number
  signals: readonly Signal[] | undefined
  state: State
}

function LaneRow({ lane: { life, depth }, end, signals, state }: LaneProps) {
  const { name, pid } = nameOf(life)
  const to = life.to ?? end
  return (
    <li class="lane" title={life.what}>
      <span class="lane-name" style={{ '--depth': String(Math.min(depth, 8)) }}>
        <bdi>{name}</bdi> <span class="pid">{pid}</span>
      </span>
      <span class="hidden">, from {timeText(life.from, 0)}, </span>
      <span class="track">
        <span class={`bar ${state}`} style={placeAt(life.from, to - life.from)} />
        {spans(life, to).map(span => (
          <span
            key={span.at}
            class={`bar ${span.state === 'Z' ? 'zombie' : 'stopped'}`}
            style={placeAt(span.at, span.to - span.at)}
          />
        ))}
        {signals && <SignalMarks signals={signals} />}
      </span>
      <span class={`lane-end ${state}`}>{endText(state, life, to)}</span>
    </li>
  )
}

function endText(state: State, { from }: Life, to: number): string {
  if (state === 'leaked' || state === 'harmed') return state
  return state === 'ended' ? seconds(to - from) : 'stays'
}

/** When it was stopped or a zombie. */
function spans({ process }: Life, end: number): { at: number; to: number; state: 'T' | 'Z' }[] {
  const states = process?.states ?? []
  return states.flatMap(({ at, state }, index) =>
    state === 'runs' ? [] : { at, state, to: states[index + 1]?.at ?? end },
  )
}
