import fs from 'node:fs'
import { layout, startOf } from '../index.ts'
import { childrenOf } from '../processes/children.ts'
import type { Deployed, Fleet } from './daemon-fleet.ts'

/** One way in which an agent ends behind the daemon's back. */
export interface EndingKind {
  name: string
  end: (fleet: Fleet, agent: Deployed, server: string) => void
  /** What the pane runs, where that is not just one process. */
  command?: string
  /** How much later than others it may be noticed, in ms. */
  laterMs?: number
}

/** How an agent of one process can end, and one that leaves its pane behind. */
export const KINDS: EndingKind[] = [
  {
    name: 'status by rename',
    end: (_, { ref }) => {
      const file = layout.taskRegistry(ref.workspace, ref.taskId)
      fs.writeFileSync(`${file}.theirs`, withStatus(file, ref.agentId))
      fs.renameSync(`${file}.theirs`, file)
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
    command: 'sleep 100000 | cat >> "$LOG"; exec sh',
    end: (_, { tmux }) => {
      const [claude = 0] = childrenOf(tmux.pane_pid) ?? []
      killExactly(claude, startOf(claude))
    },
    // So long a pane must be at rest, because a wrapper may start claude again.
    laterMs: 300,
  },
  { name: 'its process killed', end: (_, { tmux }) => killExactly(tmux.pane_pid, tmux.pane_start) },
]

export function killExactly(pid: number, start: number | undefined): void {
  if (startOf(pid) === start) process.kill(pid, 'SIGKILL')
}

function withStatus(file: string, agentId: string): string {
  const registry = JSON.parse(fs.readFileSync(file, 'utf8'))
  for (const agent of registry.agents) if (agent.id === agentId) agent.status = 'completed'
  return JSON.stringify(registry)
}
