import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { recordIntent } from '../../../cleanup/index.ts'
import { type AgentRef, layout } from '../../../cleanup/orchestrator.ts'
import type { Strategy } from '../../orchestrator/strategies/strategy.ts'

/** A process as a cleanup by hand sees it. */
export interface Seen {
  pid: number
  ppid: number
  state: string
  environment: string
}

/** Which of all processes it ends, and with what. */
export interface Hand {
  claims(agent: AgentRef, all: Seen[]): Seen[]
  /** Without it nobody looks again after the TERM. */
  kills: boolean
}

/** Longer than a claude takes on a busy machine: one that is killed leaves files, which would be another fault. */
const claudeGraceMs = 10_000
const graceMs = 3_000

/**
 * A small cleanup of its own, for the cells that it is shown in as good as the bundled one: it ends what carries
 * the agent's marker, then the session, and puts the files away. A fault is seeded in one of its parts.
 */
export const soundHand: Hand = { claims: byMarker, kills: true }

export function byHand({ claims, kills }: Hand): Strategy['kill'] {
  return async (agent, reason) => {
    await recordIntent(agent, { status: 'terminated', reason })
    const targets = claims(agent, readAll())
    // Claude first: it ends its children, and writes its last words, while its pane is there.
    const [claude, others] = [targets.filter(isClaude), targets.filter(one => !isClaude(one))]
    await term(claude, claudeGraceMs)
    if (kills) await term(others, graceMs)
    else for (const { pid } of others) send(pid, 'SIGTERM')
    for (const one of kills ? targets.filter(isThere) : []) send(one.pid, 'SIGKILL')
    run('tmux', ['kill-session', '-t', `=${layout.sessionName(agent)}`])
    putAway(agent)
    return {}
  }
}

async function term(targets: Seen[], withinMs: number): Promise<void> {
  for (const { pid } of targets) send(pid, 'SIGTERM')
  const deadline = Date.now() + withinMs
  while (targets.some(isThere) && Date.now() < deadline) await delay(20)
}

function isClaude({ pid }: Seen): boolean {
  return read(`/proc/${pid}/comm`) === 'claude\n'
}

/** LEAKRIG_AGENT as it was started: our orchestrator gives it to all that an agent starts. */
export function byMarker(agent: AgentRef, all: Seen[]): Seen[] {
  return all.filter(({ environment }) => environment.includes(`/${agent.agentId}\0`))
}

/** Everything below the process of the first pane, and nothing else. */
export function byDescent(agent: AgentRef, all: Seen[]): Seen[] {
  const top = Number(firstPane(agent, '#{pane_pid}'))
  const isBelow = (pid: number): boolean => {
    const one = all.find(other => other.pid === pid)
    return one !== undefined && (one.pid === top || isBelow(one.ppid))
  }
  return all.filter(({ pid }) => isBelow(pid))
}

/** Everything that was started in the first pane. */
export function byFirstPane(agent: AgentRef, all: Seen[]): Seen[] {
  const pane = firstPane(agent, '#{pane_id}')
  return byMarker(agent, all).filter(({ environment }) => environment.includes(`TMUX_PANE=${pane}\0`))
}

function firstPane(agent: AgentRef, format: string): string {
  const target = `=${layout.sessionName(agent)}:`
  return run('tmux', ['list-panes', '-s', '-t', target, '-F', format]).split('\n')[0] ?? ''
}

/** Without a look at where the archive really is. */
function putAway(agent: AgentRef): void {
  for (const file of [layout.promptFile(agent), layout.adoptedChildrenFile(agent)])
    rmSync(file, { force: true })
  mkdirSync(layout.archiveFolder(agent), { recursive: true })
  const logs = [layout.streamLog, layout.progressFile, layout.findingsFile, layout.deployLog]
  for (const file of logs.map(of => of(agent)))
    if (existsSync(file)) renameSync(file, layout.archived(agent, file))
}

function readAll(): Seen[] {
  return readdirSync('/proc').flatMap(name => {
    const stat = read(`/proc/${name}/stat`)
    if (!/^\d+$/.test(name) || !stat) return []
    const [state = '', ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid: Number(name), ppid: Number(ppid), state, environment: read(`/proc/${name}/environ`) }
  })
}

function isThere({ pid }: Seen): boolean {
  const state = /\) (\S)/.exec(read(`/proc/${pid}/stat`))?.[1]
  return state !== undefined && state !== 'Z'
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {}
}

function run(file: string, args: string[]): string {
  try {
    return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
