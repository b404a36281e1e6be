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

/** The processes that it ends, and the signals. */
export interface Hand {
  claims(agent: AgentRef, all: Seen[]): Seen[]
  /** The signal for what is left after the grace. Without it there is no second step. */
  kills: boolean
  /** How long claude gets to end. Killed before that, it leaves files and what its hooks started. */
  claudeGraceMs: number
}

const graceMs = 3_000

/**
 * A small hand-written cleanup, as good as the bundled one in the cells that it is used for: it ends the processes with the
 * agent's marker, then the session, and archives the files. Defects are seeded in its parts.
 */
export const soundHand: Hand = { claims: byMarker, kills: true, claudeGraceMs: 10_000 }

export function byHand({ claims, kills, claudeGraceMs }: Hand): Strategy['kill'] {
  return async (agent, reason) => {
    await recordIntent(agent, { status: 'terminated', reason })
    const targets = claims(agent, readAll())
    // Claude first: it ends its children and prints its last events while its pane exists.
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

/** By LEAKRIG_AGENT in the initial environment, which every process of an agent inherits. */
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

/** What the agent's tmux server runs outside of panes, whoever asked for it. */
export function jobsOfServer(agent: AgentRef, all: Seen[]): Seen[] {
  const server = Number(firstPane(agent, '#{pid}'))
  const panes = run('tmux', ['list-panes', '-a', '-F', '#{pane_pid}']).split('\n').map(Number)
  return all.filter(({ pid, ppid }) => ppid === server && !panes.includes(pid))
}

function firstPane(agent: AgentRef, format: string): string {
  const target = `=${layout.sessionName(agent)}:`
  return run('tmux', ['list-panes', '-s', '-t', target, '-F', format]).split('\n')[0] ?? ''
}

/** Without a check for links in the path of the archive. */
function putAway(agent: AgentRef): void {
  for (const file of [layout.promptFile(agent), layout.adoptedChildrenFile(agent)])
    rmSync(file, { force: true })
  mkdirSync(layout.archiveFolder(agent), { recursive: true })
  const { streamLog, progressFile, findingsFile, deployLog, stderrFile } = layout
  const logs = [streamLog, progressFile, findingsFile, deployLog, stderrFile]
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
