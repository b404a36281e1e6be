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
  /** How far a moment reaches: over the whole process, or its thread. */
  s?: 'p' | 't'
  args?: Record<string, unknown>
}

export interface Trace {
  displayTimeUnit: 'ms'
  traceEvents: TraceEvent[]
}

/**
 * The time lines of a run as a trace. Its processes are the scenarios, with their steps and their counts as counters, and below
 * each scenario its agents, with a thread for every resource: from the first snapshot that showed it to the first that did not.
 * What leaked ends with the trace.
 */
export function makeTrace({ startedAt, scenarios }: Report): Trace {
  const zero = Date.parse(startedAt)
  const traceEvents: TraceEvent[] = []
  let pid = 0
  for (const result of scenarios) {
    if (!result.timeline) continue
    const events = scenarioEvents(result, result.timeline, pid + 1, zero)
    for (const one of events) {
      traceEvents.push(one)
      pid = Math.max(pid, one.pid)
    }
  }
  return { displayTimeUnit: 'ms', traceEvents }
}

/** The thread of the steps, and of signals to processes that no snapshot showed. */
const stepsTid = 1

/** @param first the pid of the scenario itself; those of its agents follow */
function scenarioEvents(
  result: ScenarioResult,
  timeline: Timeline,
  first: number,
  zero: number,
): TraceEvent[] {
  const offset = timeline.startedAt - zero
  const µs = (at: number) => Math.max(0, (offset + at) * 1000)
  const leaked = new Set(result.verdicts.at(-1)?.leaks.map(({ id }) => id))
  const threads = threadsOf(timeline.lives, first + 1)
  const end = (life: Life) => life.to ?? timeline.endedAt
  return [
    ...processEvents(`${result.name} (${result.verdict})`, first),
    ...stepEvents(timeline, first, µs),
    ...counterEvents(timeline, first, µs),
    ...[...new Map(threads.map(({ pid, group }) => [pid, group]))].flatMap(([pid, group]) =>
      processEvents(`${result.name}: ${group}`, pid),
    ),
    ...threads.flatMap(({ life, pid, tid }): TraceEvent[] => {
      const state = leaked.has(life.id) ? 'leaked' : life.isBaseline ? 'baseline' : 'ended'
      return [
        ...threadEvents(state === 'leaked' ? `leaked: ${life.what}` : life.what, pid, tid),
        {
          ...{ name: life.what, cat: `${life.kind},${state}`, ph: 'X', ts: µs(life.from), pid, tid },
          dur: Math.max(1, (end(life) - life.from) * 1000),
          args: { state, id: life.id, ...(life.agent && { agent: life.agent, evidence: life.evidence }) },
        },
      ]
    }),
    ...signalEvents(timeline, threads, first, µs),
  ]
}

interface Thread {
  life: Life
  /** Whose it is. */
  group: string
  pid: number
  tid: number
}

const groupOf = ({ agent, isBaseline }: Life): string =>
  agent ?? (isBaseline ? 'there before the first deploy' : 'of no known agent')

/** Agents one after another, then what belongs to none; of each its processes first. Each resource has a thread of its own. */
function threadsOf(lives: readonly Life[], first: number): Thread[] {
  const groups = [...Map.groupBy(lives.toSorted(byAgent), groupOf)]
  return groups.flatMap(([group, mine], at) =>
    mine
      .toSorted((one, other) => Number(one.kind !== 'process') - Number(other.kind !== 'process'))
      .map((life, index) => ({ life, group, pid: first + at, tid: index + 1 })),
  )
}

function processEvents(name: string, pid: number): TraceEvent[] {
  return [
    { name: 'process_name', ph: 'M', pid, args: { name } },
    { name: 'process_sort_index', ph: 'M', pid, args: { sort_index: pid } },
  ]
}

function threadEvents(name: string, pid: number, tid: number): TraceEvent[] {
  return [
    { name: 'thread_name', ph: 'M', pid, tid, args: { name } },
    { name: 'thread_sort_index', ph: 'M', pid, tid, args: { sort_index: tid } },
  ]
}

/** A signal of the cleanup is on the thread of the process that got it. */
function signalEvents(
  { signals = [] }: Timeline,
  threads: readonly Thread[],
  scenario: number,
  µs: (at: number) => number,
): TraceEvent[] {
  const places = new Map(threads.map(({ life, pid, tid }) => [life.id, { pid, tid }]))
  return signals.map(({ at, signal, process: id, pid: target, ...who }) => ({
    ...{ name: signal, cat: 'signal', ph: 'i', ts: µs(at), s: 't' },
    ...(places.get(id) ?? { pid: scenario, tid: stepsTid }),
    args: { id, pid: target, ...who },
  }))
}

function stepEvents({ steps }: Timeline, pid: number, µs: (at: number) => number): TraceEvent[] {
  const tid = stepsTid
  return [
    ...threadEvents('steps', pid, tid),
    ...steps.map(
      ({ what, agent, at }): TraceEvent => ({
        ...{ name: agent ? `${agent} ${what}` : what, cat: 'step', ph: 'i', ts: µs(at), pid, tid, s: 'p' },
      }),
    ),
  ]
}

/** Each count is a counter, with an event whenever it changes. */
function counterEvents({ samples }: Timeline, pid: number, µs: (at: number) => number): TraceEvent[] {
  const last = new Map<string, number>()
  return samples.flatMap(({ at, counts }) =>
    Object.entries(counters(counts)).flatMap(([name, value]): TraceEvent[] => {
      if (last.get(name) === value) return []
      last.set(name, value)
      return [{ name, ph: 'C', ts: µs(at), pid, args: { value } }]
    }),
  )
}

function counters(counts: Counts): Record<string, number> {
  const { sessions, claudes, processes, descriptors, sockets, ptys, memory } = counts
  return {
    ...{ sessions, claudes, processes, descriptors, sockets, ptys },
    ...{ files: filesIn(counts), 'memory (bytes)': memory },
  }
}

/** Agents one after another, then what belongs to none; within each in the order of appearance. */
function byAgent(one: Life, other: Life): number {
  if (one.agent === other.agent) return one.from - other.from
  if (one.agent === undefined) return 1
  if (other.agent === undefined) return -1
  return one.agent < other.agent ? -1 : 1
}
