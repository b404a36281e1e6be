import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type AgentEntry, type AgentRef, layout } from '../../../cleanup/orchestrator.ts'
import { asFound } from '../../orchestrator/strategies/as-found.ts'
import type { Strategy } from '../../orchestrator/strategies/strategy.ts'
import { byDescent, byFirstPane, byHand, byMarker, jobsOfServer, soundHand } from './by-hand.ts'

/** A defect of a cleanup: what happens instead of, or in addition to, the sound cleanup after a kill. */
type Defect = (sound: Strategy['kill']) => Strategy['kill']

/** Cleanups with one seeded defect each. For each of them a test expects that the rig finds it. */
export const defects: Record<string, Defect> = {
  'leaves the prompt': sound => async (agent, reason) => {
    const prompt = readFileSync(layout.promptFile(agent), 'utf8')
    const done = await sound(agent, reason)
    writeFileSync(layout.promptFile(agent), prompt)
    return done
  },

  'leaves the logs where they are': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    renameSync(layout.archived(agent, layout.progressFile(agent)), layout.progressFile(agent))
    return done
  },

  'throws a log away': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    rmSync(layout.archived(agent, layout.progressFile(agent)))
    return done
  },

  'cuts the log before it is drained': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    const log = layout.archived(agent, layout.streamLog(agent))
    truncateSync(log, readFileSync(log).length - 20)
    return done
  },

  'ends nothing': () => async (agent, reason) => {
    await asFound.ended(agent, { status: 'terminated', reason })
    return {}
  },

  'kills the session by its bare name': sound => async (agent, reason) => {
    // As a second cleaner does that comes after the session has ended: tmux then takes the name for a prefix.
    const done = await sound(agent, reason)
    tryRun('tmux', ['kill-session', '-t', layout.sessionName(agent)])
    return done
  },

  'kills every claude': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    // Not TERM: claude ends its children first and itself two seconds later, possibly after the verdict.
    tryRun('pkill', ['-KILL', '-x', 'claude'])
    return done
  },

  'stops a bystander': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    tryRun('pkill', ['-STOP', '-f', 'sleep 98765'])
    return done
  },

  'kills at once and does not look again': () => async (agent, reason) => {
    for (const pid of pidsOf(agent)) if (comm(pid) === 'claude') process.kill(pid, 'SIGKILL')
    return asFound.kill(agent, reason)
  },

  'counts by hand': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    rewrite(layout.taskRegistry(agent.workspace, agent.taskId), text =>
      text.replace(/"active_count": \d+/, '"active_count": 7'),
    )
    return done
  },

  'loses an update': sound => async (agent, reason) => {
    // Reads the registry first and writes it back last, so that updates of others in between are lost.
    const file = layout.taskRegistry(agent.workspace, agent.taskId)
    const before = readFileSync(file, 'utf8')
    const done = await sound(agent, reason)
    writeFileSync(file, before)
    return done
  },

  'undoes what others wrote meanwhile': sound => async (agent, reason) => {
    // Its own agent is cleaned up, and so is any other that does not end at the same time. Both registries are undone: from
    // one of them the daemon would know the end that the other one lost.
    const files = [layout.taskRegistry(agent.workspace, agent.taskId), layout.globalRegistry(agent.workspace)]
    const before = files.map(file => readFileSync(file, 'utf8'))
    const done = await sound(agent, reason)
    for (const [n, file] of files.entries())
      rewrite(file, text => withOthersOf(before[n] ?? '', text, agent.agentId))
    return done
  },

  'rewrites the registries as JavaScript parses them': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    const files = [layout.taskRegistry(agent.workspace, agent.taskId), layout.globalRegistry(agent.workspace)]
    for (const file of files) rewrite(file, text => JSON.stringify(JSON.parse(text), null, 2))
    return done
  },

  'loses what it does not know': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    rewrite(layout.globalRegistry(agent.workspace), withoutUnknownFields)
    return done
  },

  'forgets the global registry': sound => async (agent, reason) => {
    const file = layout.globalRegistry(agent.workspace)
    const before = readFileSync(file, 'utf8')
    const done = await sound(agent, reason)
    writeFileSync(file, before)
    return done
  },

  'opens a file for each call': sound => async (agent, reason) => {
    openSync('/etc/hostname', 'r')
    return sound(agent, reason)
  },

  'holds a deleted log open': sound => async (agent, reason) => {
    const copy = join(agent.workspace, 'copy.jsonl')
    writeFileSync(copy, 'x')
    openSync(copy, 'r')
    const done = await sound(agent, reason)
    rmSync(copy)
    return done
  },

  'leaves a temporary file': sound => async (agent, reason) => {
    appendFileSync(join(agent.workspace, `registry/write-${agent.agentId}.tmp`), '{}')
    return sound(agent, reason)
  },

  'leaves a child behind': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    tryRun('sh', ['-c', 'setsid sleep 98766 >/dev/null 2>&1 &'])
    return done
  },
}

/** For cells of the catalogue: the sound hand-written cleanup, and defects in its parts. */
Object.assign(defects, {
  'does all by hand': () => byHand(soundHand),
  'walks only descent': () => byHand({ ...soundHand, claims: byDescent }),
  'only looks at the first pane': () => byHand({ ...soundHand, claims: byFirstPane }),
  'exits before it kills': () => byHand({ ...soundHand, kills: false }),
  'skips the stopped': () =>
    byHand({
      ...soundHand,
      claims: (agent, all) => byMarker(agent, all).filter(({ state }) => state !== 'T'),
    }),
  'kills claude within its hooks': () => byHand({ ...soundHand, claudeGraceMs: 3_000 }),
  'follows a linked archive': () => byHand(soundHand),
  'claims by the id in the command line': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    tryRun('pkill', ['-f', agent.agentId])
    return done
  },
  'kills nested servers by their name': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    tryRun('pkill', ['-KILL', '-x', 'tmux: server'])
    return done
  },
  'ends the sessions that no registry lists': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    const listed = readFileSync(layout.taskRegistry(agent.workspace, agent.taskId), 'utf8')
    const names = execFileSync('tmux', ['list-sessions', '-F', '#{session_name}'], { encoding: 'utf8' })
    for (const name of names.split('\n').filter(name => name.startsWith('agent_')))
      if (!listed.includes(`"${name}"`)) tryRun('tmux', ['kill-session', '-t', `=${name}`])
    return done
  },
  'kills the session that its pane is in': sound => async (agent, reason) => {
    tryRun('tmux', ['kill-session', '-t', recordedPane(agent)])
    return sound(agent, reason)
  },
  'ends the jobs of the tmux server': () =>
    byHand({ ...soundHand, claims: (agent, all) => [...byMarker(agent, all), ...jobsOfServer(agent, all)] }),
  'kills the server': sound => async (agent, reason) => {
    const done = await sound(agent, reason)
    tryRun('tmux', ['kill-server'])
    return done
  },
} satisfies Record<string, Defect>)

function recordedPane({ workspace, taskId, agentId }: AgentRef): string {
  const { agents } = JSON.parse(readFileSync(layout.taskRegistry(workspace, taskId), 'utf8'))
  return agents.find(({ id }: AgentEntry) => id === agentId).tmux.pane_id
}

function rewrite(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

/** A registry as it is now, with every agent but one as it was before. */
function withOthersOf(before: string, now: string, agentId: string): string {
  const [old, registry] = [JSON.parse(before), JSON.parse(now)]
  if (Array.isArray(registry.agents))
    registry.agents = registry.agents.map((entry: { id: string }) =>
      entry.id === agentId ? entry : (old.agents.find(({ id }: { id: string }) => id === entry.id) ?? entry),
    )
  else registry.agents = { ...registry.agents, ...old.agents, [agentId]: registry.agents[agentId] }
  return JSON.stringify(registry, null, 2)
}

/** A registry as a program writes it that declares the fields of its entries. */
function withoutUnknownFields(text: string): string {
  const registry = JSON.parse(text)
  for (const entry of Object.values(registry.agents) as Record<string, unknown>[])
    for (const field of Object.keys(entry)) if (field.startsWith('of_')) delete entry[field]
  return JSON.stringify(registry, null, 2)
}

function tryRun(file: string, args: string[]): void {
  try {
    execFileSync(file, args, { stdio: 'ignore' })
  } catch {}
}

function pidsOf(agent: AgentRef): number[] {
  const pids = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
  return pids.filter(pid => read(`/proc/${pid}/environ`).includes(`/${agent.agentId}\0`))
}

function comm(pid: number): string {
  return read(`/proc/${pid}/comm`).trim()
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
