import { CannotMeasureError, directiveText, isServerExiting, poll } from '../../harness/index.ts'
import type { Command } from './commands.ts'
import type { World } from './world.ts'

type Kind = Extract<Command, { do: 'bystander-comes' }>['kind']

/** A bystander arrives, possibly while agents are ending or after they have ended. */
export async function bystanderComes(world: World, kind: Kind): Promise<string> {
  const name = `mine-${world.log.length}`
  if (kind === 'lookalike') await lookalike(world, name)
  else if (kind === 'session') await session(world, name, ['sleep', 'infinity'])
  else await claude(world, name)
  return `a bystander comes, ${kind} ${name}`
}

/** A process with everything in its arguments that a careless cleanup searches for. */
async function lookalike({ rig, expected, agents, bystanders }: World, name: string): Promise<void> {
  const words = `less ${agents.map(({ agent }) => `agent_${agent.id}`).join(' ')} claude`
  const script = 'exec -a "$0" sleep infinity'
  const planted = await rig.probe.plant(['bash', '-c', script, words])
  await expected.addProcess(planted)
  const leave = async () => {
    expected.removeProcess(planted)
    await rig.probe.signal(planted, 'SIGKILL')
  }
  bystanders.push({ name, leave })
}

/** A user's own tmux session, on the server that the agents are on. */
async function session({ rig, expected, bystanders }: World, name: string, command: string[]): Promise<void> {
  const start = ['tmux', 'new-session', '-d', '-P', '-F', '#{session_id}', '-s', name, ...command]
  // While the server is exiting, the user tries again.
  const started = await poll(5_000, async () => {
    const answer = await rig.probe.run(start)
    return isServerExiting(answer.stderr) ? undefined : answer
  })
  if (started?.code !== 0)
    throw new CannotMeasureError(
      `The bystander ${name} could not be started: ${started?.stderr ?? 'its server was exiting for 5 s'}`,
    )
  const { stdout } = started
  await expected.addBystander(name)
  const leave = async () => {
    expected.remove(name)
    await rig.probe.run(['tmux', 'kill-session', '-t', stdout.trim()])
  }
  bystanders.push({ name, leave })
}

/** A user's own claude at work. */
async function claude(world: World, name: string): Promise<void> {
  const { rig, expected } = world
  const journal = `${rig.places.own}/${name}.ndjson`
  const prompt = `Help me. ${directiveText({ persona: 'works', bash: 0, journal })}`
  const flags = ['--print', '--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions']
  await session(world, name, ['claude', ...flags, prompt])
  const rests = await poll(
    20_000,
    async () => (await rig.probe.read(journal))?.includes('"idle"') || undefined,
  )
  if (!rests) throw new CannotMeasureError(`The bystander ${name} did not get ready.`)
  await rig.waitUntilStable()
  await expected.add(name)
}
