#!/usr/bin/env node
/** The cost of comparing a snapshot with its baseline, by the number of agents; no sandbox is needed. */
import type { ProcessResource, Resource, Snapshot } from '../snapshot/snapshot.ts'
import { compare } from '../verdict/compare.ts'
import type { ScenarioFacts } from '../verdict/scenario-facts.ts'

/** The most that the comparison may cost at 400 agents, as a multiple of its cost at 10. */
const mostTimes = 50

/**
 * The CPU time (ms) of one comparison in which everything of so many agents is a leak: the median of eleven, each with a
 * snapshot of its own, because the index of a snapshot is cached.
 */
export function timeCompare(agents: number): number {
  const baseline = syntheticSnapshot(0)
  const times = Array.from({ length: 11 }, () => {
    const now = syntheticSnapshot(agents)
    const before = process.cpuUsage()
    compare(baseline, now, factsOf(agents))
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return times.toSorted((one, other) => one - other)[5] ?? Number.NaN
}

/** A counter of reads. */
export interface Counted {
  reads: number
}

/** A copy of a snapshot that counts every read of a field of its resources. */
export function countReads(snapshot: Snapshot, counted: Counted): Snapshot {
  const handler: ProxyHandler<Resource> = {
    get(resource, field) {
      counted.reads += 1
      return Reflect.get(resource, field)
    },
  }
  return { ...snapshot, resources: snapshot.resources.map(one => new Proxy(one, handler)) }
}

/** The facts of a scenario with so many agents. */
export function factsOf(agents: number): ScenarioFacts {
  return {
    agents: Array.from({ length: agents }, (_, at) => agentId(at)),
    endedAt: 0,
    keeps: [],
    system: new Set(),
    foregroundTasks: new Set(),
  }
}

/** A snapshot of a tmux server and of so many plain agents, all of which are still there. */
export function syntheticSnapshot(agents: number): Snapshot {
  const server: Resource[] = [
    { kind: 'server', id: 'server 5 /tmp/tmux/default', pid: 5, socket: '/tmp/tmux/default' },
    processOf(5, 1, 'tmux: server'),
  ]
  const all = Array.from({ length: agents }, (_, at) => agentOf(at))
  return { at: 1_000, resources: [...server, ...all.flat()], ignored: [], problems: [] }
}

function agentOf(at: number): Resource[] {
  const [id, pid] = [agentId(at), 100 + at * 10]
  const [bash, claude, tee, shell, sleep, mcp] = [pid, pid + 1, pid + 2, pid + 3, pid + 4, pid + 5]
  const task = `/tmp/work/.agent-workspace/TASK-1`
  const tmux = { socket: '/tmp/tmux/default', serverPid: 5, session: `$${at}` }
  const file = (path: string, fileClass: 'prompt' | 'stream log' | 'claude state'): Resource => ({
    kind: 'file',
    id: `file ${path}`,
    path,
    class: fileClass,
    bytes: 100,
  })
  const resources: Resource[] = [
    { kind: 'session', id: `session 5:$${at}`, ...tmux, name: `agent_${id}`, created: 1 },
    {
      kind: 'pane',
      id: `pane 5:%${at}`,
      ...tmux,
      sessionName: `agent_${id}`,
      pane: `%${at}`,
      pid: bash,
      tty: `/dev/pts/${at}`,
      dead: false,
    },
    processOf(bash, 5, 'bash'),
    processOf(claude, bash, 'claude'),
    processOf(tee, bash, 'tee'),
    processOf(shell, claude, 'bash'),
    processOf(sleep, shell, 'sleep'),
    processOf(mcp, claude, 'node'),
    {
      kind: 'descriptor',
      id: `descriptor ${tee}@${tee}/3 ${task}/logs/${id}_stream.jsonl`,
      pid: tee,
      comm: 'tee',
      fd: 3,
      path: `${task}/logs/${id}_stream.jsonl`,
      mode: 'w',
      deleted: false,
    },
    { kind: 'pty', id: `pty /dev/pts/${at}`, path: `/dev/pts/${at}` },
    file(`${task}/agent_prompt_${id}.txt`, 'prompt'),
    file(`${task}/logs/${id}_stream.jsonl`, 'stream log'),
    file(`/tmp/home/.claude/sessions/${claude}.json`, 'claude state'),
  ]
  return resources.map(one => ({ ...one, owner: { agent: id, evidence: 'its name' } }))
}

function agentId(at: number): string {
  return `worker-120000-${at.toString(16).padStart(6, '0')}`
}

function processOf(pid: number, ppid: number, comm: string): ProcessResource {
  return {
    kind: 'process',
    id: `process ${pid}@${pid}`,
    pid,
    start: pid,
    ppid,
    pgid: ppid,
    sid: ppid,
    tty: 0,
    state: 'S',
    comm,
    command: `${comm} --with arguments`,
    rss: 1 << 21,
    descriptors: 3,
  }
}

// npm scripts load this by bin/run.cjs, so that `import.meta.main` is false.
if (process.argv[1] === import.meta.filename) {
  const [ten, hundred, many] = [10, 100, 400].map(timeCompare) as [number, number, number]
  console.log(
    `compare: ${ten.toFixed(2)} ms of CPU at 10 agents, ${hundred.toFixed(2)} ms at 100, ${many.toFixed(2)} ms at 400`,
  )
  const held = many <= mostTimes * ten
  console.log(
    `at 400 agents ${(many / ten).toFixed(1)} x that at 10; at most ${mostTimes} x: ${held ? 'held' : 'not held'}`,
  )
  process.exit(held ? 0 : 1)
}
