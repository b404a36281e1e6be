import { shellWord } from '../terminal.ts'
import type { Agent } from './agent.ts'

/**
 * An agent that was deployed into a session of somebody else's is a finding: whoever ends the session ends the agent, and
 * whoever cleans the agent up may end the session.
 * @param own the sessions that the system had before any bystander came
 */
export async function noteForeignSession(agent: Agent, own: ReadonlySet<string>): Promise<void> {
  const { rig, located } = agent
  const { session, pane } = located ?? {}
  if (!session || !pane) return
  const { resources } = await rig.baseline()
  if (own.has(session.id) || !resources.some(({ id }) => id === session.id)) return
  rig.addCollateral({
    verdict: 'collateral',
    kind: 'session',
    id: `${session.id} with ${agent.id}`,
    what: `tmux session ${session.name} (${session.session}), into which agent ${agent.id} was deployed`,
    mechanism: 'foreign-session',
    why: `the session was there before the agent and is not the system’s: it is a bystander’s, and pane ${pane.pane} of it is the agent’s now`,
    command: `tmux -S ${shellWord(session.socket)} list-panes -a -F '#{session_name} #{pane_id} #{pane_pid}'`,
    outlivedMs: 0,
  })
}
