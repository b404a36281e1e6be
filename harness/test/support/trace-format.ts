import { z } from 'zod'

/*
 * The rules of the Trace Event Format ("Trace Event Format", Google, 2016) for the events that we write: ui.perfetto.dev and
 * chrome://tracing drop, or draw wrong, what breaks one of them, without a word.
 */

const name = z.string().min(1)
/** µs. */
const time = z.int().nonnegative()
const id = z.int().positive()
const sortIndex = z.strictObject({ sort_index: z.int() })
const named = z.strictObject({ name })
const args = z.record(z.string(), z.unknown())

const eventSchema = z.union([
  z.strictObject({ ph: z.literal('M'), name: z.literal('process_name'), pid: id, args: named }),
  z.strictObject({ ph: z.literal('M'), name: z.literal('process_sort_index'), pid: id, args: sortIndex }),
  z.strictObject({ ph: z.literal('M'), name: z.literal('thread_name'), pid: id, tid: id, args: named }),
  z.strictObject({
    ...{ ph: z.literal('M'), name: z.literal('thread_sort_index') },
    ...{ pid: id, tid: id, args: sortIndex },
  }),
  z.strictObject({
    ...{ ph: z.literal('X'), name, cat: name, ts: time, dur: time, pid: id, tid: id },
    args: args.optional(),
  }),
  z.strictObject({
    ...{ ph: z.literal('i'), name, cat: name, ts: time, pid: id, tid: id },
    ...{ s: z.enum(['g', 'p', 't']), args: args.optional() },
  }),
  // A counter is drawn from its numbers alone.
  z.strictObject({ ph: z.literal('C'), name, ts: time, pid: id, args: z.record(name, z.number()) }),
])

export const traceSchema = z.strictObject({
  displayTimeUnit: z.enum(['ms', 'ns']),
  traceEvents: z.array(eventSchema),
})

type Event = z.infer<typeof eventSchema>

/** What is wrong between the events of a trace, in sentences. */
export function mistakesIn(events: readonly Event[]): string[] {
  const names = (of: string) => events.flatMap(one => (one.name === of && one.ph === 'M' ? [place(one)] : []))
  const [processes, threads] = [names('process_name'), names('thread_name')]
  const used = events.filter(({ ph }) => ph !== 'M')
  const usedThreads = new Set(used.flatMap(one => ('tid' in one ? place(one) : [])))
  const nameless = (what: string, all: Iterable<string>, known: string[]) =>
    [...all].filter(one => !known.includes(one)).map(one => `${what} ${one} has no name`)
  const twice = [...processes, ...threads].filter((one, at, all) => all.indexOf(one) !== at)
  return [
    ...nameless('process', new Set(used.map(({ pid }) => String(pid))), processes),
    ...nameless('thread', usedThreads, threads),
    ...twice.map(one => `${one} has two names`),
    ...crossing(events),
  ]
}

const place = (one: Event): string => ('tid' in one ? `${one.tid} of ${one.pid}` : String(one.pid))

/** Slices of a thread are one after another, or one within the other. */
function crossing(events: readonly Event[]): string[] {
  const slices = events.filter(one => one.ph === 'X')
  return [...Map.groupBy(slices, place)].flatMap(([thread, mine]) =>
    mine.flatMap((one, at) =>
      mine
        .slice(at + 1)
        .filter(other => doCross(one, other) || doCross(other, one))
        .map(other => `${one.name} and ${other.name} of thread ${thread} cross`),
    ),
  )
}

type Slice = Extract<Event, { ph: 'X' }>

const doCross = (one: Slice, other: Slice): boolean =>
  one.ts < other.ts && other.ts < one.ts + one.dur && one.ts + one.dur < other.ts + other.dur
