import type { Counts } from '../timeline/counts.ts'
import { filesIn } from '../timeline/counts.ts'
import type { Life, Timeline } from '../timeline/timeline.ts'
import type { Report } from './report.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** An event of the Trace Event Format, which ui.perfetto.dev and chrome://tracing open. Times are in µs. */
interface TraceEvent {
  name: string
  cat?: string
  /** M: a name; X: something with a duration; i: a moment; C: a counter. */
  ph: 'M' | 'X' | 'i' | 'C'
  ts?: number
  dur?: number
  pid: number
  tid?: number
  s?: 'p'
  args?: Record<string, unknown>
}

export interface Trace {
  displayTimeUnit: 'ms'
  traceEvents: TraceEvent[]
}

/**
 * The time lines of a run as a trace: each scenario is a process of it, with its steps, its counts as counters, and a thread for
 * every resource, from the first snapshot that showed it to the first that did not. What leaked ends with the trace.
 */
export function makeTrace({ startedAt, scenarios }: Report): Trace {
  const zero = Date.parse(startedAt)
  const events = scenarios.flatMap((result, at) =>
    result.timeline ? scenarioEvents(result, result.timeline, at + 1, zero) : [],
  )
  return { displayTimeUnit: 'ms', traceEvents: events }
}

function scenarioEvents(result: ScenarioResult, timeline: Timeline, pid: number, zero: number): TraceEvent[] {
  const offset = timeline.startedAt - zero
  const µs = (at: number) => Math.max(0, (offset + at) * 1000)
  const leaked = new Set(result.verdicts.at(-1)?.leaks.map(({ id }) => id))
  return [
    { name: 'process_name', ph: 'M', pid, args: { name: `${result.name} (${result.verdict})` } },
    { name: 'process_sort_index', ph: 'M', pid, args: { sort_index: pid } },
    ...stepEvents(timeline, pid, µs),
    ...timeline.samples.map(({ at, counts }) => counterEvent(counts, pid, µs(at))),
    ...timeline.samples.map(
      ({ at, counts: { memory } }): TraceEvent => ({
        ...{ name: 'memory (bytes)', ph: 'C', ts: µs(at), pid, args: { memory } },
      }),
    ),
    ...timeline.lives.toSorted(byAgent).flatMap((life, at) => {
      const tid = at + 2
      const state = leaked.has(life.id) ? 'leaked' : life.isBaseline ? 'baseline' : 'ended'
      const name = `${life.agent ?? state}: ${life.what}`
      return [
        { name: 'thread_name', ph: 'M', pid, tid, args: { name } },
        { name: 'thread_sort_index', ph: 'M', pid, tid, args: { sort_index: tid } },
        {
          ...{ name: life.what, cat: `${life.kind},${state}`, ph: 'X', ts: µs(life.from), pid, tid },
          dur: Math.max(1, ((life.to ?? timeline.endedAt) - life.from) * 1000),
          args: { state, id: life.id, ...(life.agent && { agent: life.agent, evidence: life.evidence }) },
        },
      ] satisfies TraceEvent[]
    }),
  ]
}

function stepEvents({ steps }: Timeline, pid: number, µs: (at: number) => number): TraceEvent[] {
  const tid = 1
  return [
    { name: 'thread_name', ph: 'M', pid, tid, args: { name: 'steps' } },
    { name: 'thread_sort_index', ph: 'M', pid, tid, args: { sort_index: tid } },
    ...steps.map(
      ({ what, agent, at }): TraceEvent => ({
        ...{ name: agent ? `${agent} ${what}` : what, cat: 'step', ph: 'i', ts: µs(at), pid, tid, s: 'p' },
      }),
    ),
  ]
}

function counterEvent(counts: Counts, pid: number, ts: number): TraceEvent {
  const { sessions, claudes, processes, descriptors, sockets, ptys } = counts
  const args = { sessions, claudes, processes, descriptors, sockets, ptys, files: filesIn(counts) }
  return { name: 'counts', ph: 'C', ts, pid, args }
}

/** Agents one after another, then what belongs to none; within each in the order of appearance. */
function byAgent(one: Life, other: Life): number {
  if (one.agent === other.agent) return one.from - other.from
  if (one.agent === undefined) return 1
  if (other.agent === undefined) return -1
  return one.agent < other.agent ? -1 : 1
}
