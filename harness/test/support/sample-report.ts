import type { ScenarioResult } from '../../report/scenario-result.ts'
import type { ProcessResource, Resource } from '../../snapshot/snapshot.ts'
import { count } from '../../timeline/counts.ts'
import { TimelineRecorder } from '../../timeline/recorder.ts'
import type { Timeline } from '../../timeline/timeline.ts'
import type { Finding, Verdict } from '../../verdict/verdict.ts'
import { aFinding } from './reports.ts'

/** A process of a sample. */
export function process(pid: number, comm: string, ppid = 1, agent?: string): ProcessResource {
  return {
    kind: 'process',
    id: `process ${pid}@1`,
    ...{ pid, ppid, start: 1, pgid: pid, sid: pid, tty: 0, state: 'S', comm, command: `${comm} --option` },
    ...{ rss: 2_000_000, descriptors: 4 },
    ...(agent !== undefined && { owner: { agent, evidence: 'TMUX_PANE in its initial environment' } }),
  }
}

/**
 * A time line: the baseline at 100 ms, two deploys, everything at 400 ms, and what is left from 900 ms until 2 s, or until `end`.
 */
export function timeline(baseline: Resource[], peak: Resource[], left: Resource[], end = 2_000): Timeline {
  const recorder = new TimelineRecorder()
  const zero = performance.now()
  const add = (at: number, resources: Resource[]) =>
    recorder.add({ at: zero + at, resources, ignored: [], problems: [] })
  add(100, baseline)
  recorder.markBaseline(baseline)
  add(400, peak)
  add(900, left)
  add(end, left)
  const steps = [
    { what: 'start the system', at: 0, ms: 50 },
    { what: 'deploy', agent: 'agent-1', at: 200, ms: 20 },
    { what: 'deploy', agent: 'agent-2', at: 201, ms: 20 },
    { what: 'has reported completed', agent: 'agent-1', at: 600 },
    { what: 'settle', at: 610, ms: 1_300 },
  ]
  return { ...recorder.timeline, steps }
}

export function leak(one: ProcessResource): Finding {
  return aFinding({
    ...{ kind: 'process', id: one.id, pid: one.pid, ppid: one.ppid },
    what: `${one.comm} (${one.pid}), 2.0 MB: ${one.command}`,
    ...(one.owner && { owner: one.owner }),
    ...{ mechanism: 'orphaned', why: 'orphaned: it outlived the SIGHUP of its terminal' },
    command: `ps -p ${one.pid}`,
  })
}

/** A scenario with its time line; it is red where something leaks. */
export function scenario(
  name: string,
  {
    baseline,
    peak,
    left,
    leaks = [],
  }: Record<'baseline' | 'peak' | 'left', Resource[]> & { leaks?: Finding[] },
  more: Partial<ScenarioResult> = {},
): ScenarioResult {
  const verdict: Verdict = {
    result: leaks.length > 0 ? 'leak' : 'pass',
    counts: { baseline: count(baseline), peak: count(peak), settled: count(left) },
    leaks,
    collateral: [],
    msToBaseline: 1_234,
    kept: [{ what: 'files', why: 'Claude keeps its settings', count: 2 }],
    ignored: [{ what: 'processes', why: 'the probe and its tools', count: 2 }],
    notes: [],
  }
  return {
    ...{ file: 'scenarios/2-manual-kill.test.ts', name, system: 'mine', durationMs: 2_500 },
    ...{ verdict: verdict.result, verdicts: [verdict], timeline: timeline(baseline, peak, left) },
    ...{ leftOut: [], unmet: [], errors: [] },
    ...more,
  }
}

const tmux = process(10, 'tmux: server')
const [bash, claude, child] = [
  process(20, 'bash', 10, 'agent-1'),
  process(21, 'claude', 20, 'agent-1'),
  process(22, 'sleep', 21, 'agent-1'),
]
const other = process(30, 'claude', 10, 'agent-2')

export const green = (name: string, more?: Partial<ScenarioResult>): ScenarioResult =>
  scenario(name, { baseline: [tmux], peak: [tmux, bash, claude, child, other], left: [tmux] }, more)

/** Two processes of agent-1 are left. */
export const red = (name: string, more?: Partial<ScenarioResult>): ScenarioResult =>
  scenario(
    name,
    {
      ...{ baseline: [tmux], peak: [tmux, bash, claude, child, other] },
      ...{ left: [tmux, claude, child], leaks: [claude, child].map(leak) },
    },
    more,
  )
