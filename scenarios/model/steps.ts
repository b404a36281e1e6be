import { CannotMeasureError } from '../../harness/index.ts'
import { bystanderComes } from './bystanders.ts'
import { killHandOver, killInside, killOrchestrator, startDaemon, stopDaemon } from './cleaners.ts'
import type { Command } from './commands.ts'
import { settle } from './settle.ts'
import type { Modelled, World } from './world.ts'

const mostAtOnce = 3

type Step<Kind extends Command['do']> = (
  world: World,
  command: Extract<Command, { do: Kind }>,
) => Promise<string | undefined>

/** What each command does to the sandbox and to the model. Returns a description, or undefined when it was left out. */
const steps: { [Kind in Command['do']]: Step<Kind> } = {
  async deploy(world, { persona, namesake }) {
    if (world.present.length >= mostAtOnce) return undefined
    const other = namesake ? world.living[0] : undefined
    const bash = persona === 'completes' ? 1 : 0
    const type = other ? { type: other.agent.id } : {}
    const agent = await world.rig.deploy({ persona, bash, ...type })
    const name = String.fromCharCode(65 + world.agents.length)
    world.agents.push({ agent, name, bash: bash > 0, reports: false, ends: new Set(), over: false })
    await world.expected.add(agent.id)
    return `${name} is deployed${bash ? ' with a Bash tool in the background' : ''}${other ? `, its id begins with ${other.name}'s` : ''}`
  },

  async complete(world, { from, whom }) {
    const whose = world.choose(whom)
    if (!whose || whose.ends.has('completed')) return undefined
    if (from === 'inside') {
      whose.reports = true
      await whose.agent.mayComplete()
    } else call(world, whose, 'completed', 'update_agent_progress', { status: 'completed', message: 'Done' })
    world.ends(whose, 'completed')
    return `${whose.name} completes, as reported from ${from}`
  },

  async kill(world, { whom }) {
    const whose = world.choose(whom)
    if (!whose) return undefined
    call(world, whose, 'terminated', 'kill_real_agent', { reason: 'The model asked for it' })
    world.ends(whose, 'terminated')
    return `${whose.name} is killed over MCP`
  },

  async crash(world, { what, whom }) {
    const whose = world.choose(whom)
    if (!whose) return undefined
    const { agent } = whose
    const ways = {
      claude: () => agent.losesItsClaude(),
      pane: () => agent.losesItsPaneProcess(),
      session: () => agent.losesItsSession(),
    }
    if (!(await isThere(ways[what]))) return undefined
    world.crashes(whose, what === 'claude' ? 'killed' : 'hung up')
    return `${whose.name} loses its ${what}`
  },

  async 'crash-server'(world) {
    const [whose] = world.living
    if (!whose || !(await isThere(() => whose.agent.losesItsTmuxServer()))) return undefined
    for (const one of world.present) world.crashes(one, 'hung up')
    for (const bystander of world.bystanders.splice(0)) world.expected.remove(bystander.name)
    return 'the tmux server is killed'
  },

  async 'kill-cleaner'(world, { which, afterMs }) {
    const ways = {
      inside: killInside,
      'hand-over': killHandOver,
      daemon: stopDaemon,
      orchestrator: killOrchestrator,
    }
    return ways[which](world, afterMs)
  },

  async 'restart-daemon'(world) {
    while (world.daemons.length > 0) await stopDaemon(world, 0)
    await startDaemon(world)
    return 'the daemon is restarted'
  },

  'bystander-comes': (world, { kind }) => bystanderComes(world, kind),

  async 'bystander-leaves'(world, { whom }) {
    const [bystander] = world.bystanders.splice(whom % Math.max(world.bystanders.length, 1), 1)
    if (!bystander) return undefined
    await bystander.leave()
    return `${bystander.name} leaves`
  },

  async settle(world) {
    await settle(world)
    return 'everything is as the model says'
  },
}

/** Runs one command and logs what it did. */
export async function runCommand(world: World, command: Command): Promise<void> {
  const step = steps[command.do] as Step<Command['do']>
  const description = await step(world, command as never)
  if (description) world.log.push(description)
}

/** Calls a tool that ends an agent, without waiting for the answer. */
function call(
  world: World,
  whose: Modelled,
  ends: string,
  tool: string,
  args: Record<string, unknown>,
): void {
  const { rig } = world
  rig.markEnding(tool, whose.agent.id)
  const error = rig.askTool(tool, { task_id: rig.values.task, agent_id: whose.agent.id, ...args }).then(
    ({ failure }) => failure,
    (reason: unknown) => String(reason),
  )
  world.calls.push({ whose, ends, error })
}

/** False when the target is gone already, because another ending was faster. */
async function isThere(kill: () => Promise<void>): Promise<boolean> {
  try {
    await kill()
    return true
  } catch (error) {
    if (error instanceof CannotMeasureError && /has no|was gone/.test(error.message)) return false
    throw error
  }
}
