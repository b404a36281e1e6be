import { join } from 'node:path'
import { CannotMeasureError } from '../errors.ts'
import type { Agent } from '../rig/agent.ts'
import type { ServerResource } from '../snapshot/snapshot.ts'
import { expectUntouched } from './expect-untouched.ts'

/** The user's session on the agent's server. */
const session = 'my-later-work'

/**
 * The user opens a session on the tmux server that the agent started, or else on the one in which it runs, and stays
 * attached to it. From then on the session and the user's client have to be there, and so has the server.
 */
export async function userJoins(agent: Agent): Promise<void> {
  const { rig } = agent
  const { resources } = await rig.snapshot()
  const started = resources.find(one => one.kind === 'server' && one.owner?.agent === agent.id)
  const { socket } = started?.kind === 'server' ? started : await agent.pane()
  // An owner of its own, because the probe attributes everything on an agent's server to that agent.
  await rig.probe.registerAgent({ id: session, session })
  const script = join(import.meta.dirname, 'all-bystanders/attached-session.sh')
  await mustRun(agent, ['sh', script, '-S', socket, session])
  if (started?.kind === 'server') await ignoreServer(rig, started)
  // Files are as in `AllBystanders.plantAround`.
  await rig.widenBaseline({ id: session }, one => one.kind !== 'file')
}

/** The server and what it holds for the user are the agent's by descent. The user's session shows whether they live. */
async function ignoreServer(rig: Agent['rig'], { pid, socket }: ServerResource): Promise<void> {
  const { resources } = await rig.snapshot()
  const ttys = resources.flatMap(one =>
    one.kind === 'pane' && one.sessionName.endsWith(session) ? one.tty : [],
  )
  await rig.ignore('a user has a session on the server that the agent started', one => {
    if (one.kind === 'server' || one.kind === 'process') return one.pid === pid
    if (one.kind === 'socket') return one.address === `unix ${socket}`
    return one.kind === 'pty' && ttys.includes(one.path)
  })
}

/** The agent's window is moved into a session of the user's, and its own session ends with that. It works on. */
export function windowMovesToUser(agent: Agent): Promise<void> {
  return movesToUser(agent, 'move-window')
}

/** The agent's pane is moved into a window of the user's. It works on. */
export function paneMovesToUser(agent: Agent): Promise<void> {
  return movesToUser(agent, 'join-pane')
}

async function movesToUser(agent: Agent, command: string): Promise<void> {
  await userJoins(agent)
  const { socket, pane } = await agent.pane()
  const move = ['tmux', '-S', socket, command, '-d', '-s', pane, '-t', `=${session}:`]
  await expectUntouched(agent, () => mustRun(agent, move), ['pane', 'process', 'file'])
}

async function mustRun({ rig }: Agent, command: string[]): Promise<void> {
  const { code, stderr } = await rig.probe.run(command)
  if (code !== 0) throw new CannotMeasureError(`${command.join(' ')} failed: ${stderr.trim()}`)
}
