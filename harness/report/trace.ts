import type { Counts } from '../timeline/counts.ts'
import { filesIn } from '../timeline/counts.ts'
import type { Life, Signal, Timeline } from '../timeline/timeline.ts'
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
  /** How far a moment reaches: over the whole process, or its thread. */
  s?: 'p' | 't'
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

/** The thread of the steps, and of signals to processes that no snapshot showed. */
const stepsTid = 1
/** That of the first resource. */
const firstTid = 2

function scenarioEvents(result: ScenarioResult, timeline: Timeline, pid: number, zero: number): TraceEvent[] {
  const offset = timeline.startedAt - zero
  const µs = (at: number) => Math.max(0, (offset + at) * 1000)
  const lives = timeline.lives.toSorted(byAgent)
  const tids = new Map(lives.map(({ id }, at) => [id, at + firstTid]))
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
    ...lives.flatMap((life, at) => {
      const tid = at + firstTid
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
    ...(timeline.signals ?? []).map(one => signalEvent(one, pid, tids.get(one.process) ?? stepsTid, µs)),
  ]
}

/** A signal of the cleanup, on the thread of the process that got it. */
function signalEvent(
  { at, signal, process: id, pid: target, ...who }: Signal,
  pid: number,
  tid: number,
  µs: (at: number) => number,
): TraceEvent {
  const args = { pid: target, id, ...who }
  return { name: signal, cat: 'signal', ph: 'i', ts: µs(at), pid, tid, s: 't', args }
}

function stepEvents({ steps }: Timeline, pid: number, µs: (at: number) => number): TraceEvent[] {
  const tid = stepsTid
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
