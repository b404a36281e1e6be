import fs from 'node:fs'
import { layout, startOf } from '../index.ts'
import type { Deployed, Fleet } from './daemon-fleet.ts'

/** One way in which an agent ends behind the daemon's back. */
export interface EndingKind {
  name: string
  end: (fleet: Fleet, agent: Deployed, server: string) => void
}

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
