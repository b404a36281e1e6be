import fs from 'node:fs'
import { recordedShell } from '../containment/pane-shell.ts'
import { layout } from '../orchestrator.ts'
import { childrenOf } from '../platform/processes/children.ts'
import { startOf } from '../platform/processes/table.ts'
import { readAgent } from '../registry/registry.ts'
import type { Deployed, Fleet } from './daemon-fleet.ts'

/** A way in which an agent ends that the daemon must notice by itself. */
export interface EndingKind {
  name: string
  end: (fleet: Fleet, agent: Deployed, server: string) => void
  /** The pane's shell command, if the pane runs more than one process. */
  command?: string
  /** Deploys the agent below tini, as our own orchestrator does if tini is installed. */
  isContained?: boolean
}

/** A pipeline after which a shell keeps the pane open. */
const LEAVES_A_SHELL = 'sleep 100000 | cat >> "$LOG"; exec sh'

/** Five ways for an agent with one process, and two for a pipeline whose pane stays open. */
export const KINDS: EndingKind[] = [
  {
    name: 'status by rename',
    end: (_, { ref }) => {
      const file = layout.taskRegistry(ref.workspace, ref.taskId)
      fs.writeFileSync(`${file}.new`, withStatus(file, ref.agentId))
      fs.renameSync(`${file}.new`, file)
    },
  },
  {
    name: 'status in place',
    end: (_, { ref }) => {
      const file = layout.taskRegistry(ref.workspace, ref.taskId)
      fs.writeFileSync(file, withStatus(file, ref.agentId))
    },
  },
  {
    name: 'session killed',
    end: (fleet, { tmux }, server) => fleet.tmux(server, 'kill-session', '-t', tmux.session_id),
  },
  {
    name: 'pane killed',
    end: (fleet, { tmux }, server) => fleet.tmux(server, 'kill-pane', '-t', tmux.pane_id),
  },
  {
    name: 'claude killed, a shell stays',
    command: LEAVES_A_SHELL,
    end: (_, agent) => killClaude(agent),
  },
  {
    name: 'the same, contained by tini',
    command: LEAVES_A_SHELL,
    isContained: true,
    end: (_, agent) => killClaude(agent),
  },
  { name: 'its process killed', end: (_, { tmux }) => killExactly(tmux.pane_pid, tmux.pane_start) },
]

/** Kills the first process of the agent's pipeline. */
function killClaude({ ref }: Deployed): void {
  const [claude = 0] = childrenOf(recordedShell(readAgent(ref)) ?? 0) ?? []
  killExactly(claude, startOf(claude))
}

/** Kills the process with this pid if its start time matches, so never a process that reuses the pid. */
export function killExactly(pid: number, start: number | undefined): void {
  if (startOf(pid) === start) process.kill(pid, 'SIGKILL')
}

function withStatus(file: string, agentId: string): string {
  const registry = JSON.parse(fs.readFileSync(file, 'utf8'))
  for (const agent of registry.agents) if (agent.id === agentId) agent.status = 'completed'
  return JSON.stringify(registry)
}
