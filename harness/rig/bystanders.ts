import { CannotMeasureError } from '../errors.ts'
import { poll } from '../poll.ts'
import { directiveText } from './directive.ts'
import type { Rig } from './rig.ts'

/** Plants innocent resources beside the agents. They belong to the baseline and have to be there afterwards. */
export class Bystanders {
  readonly #rig: Rig

  constructor(rig: Rig) {
    this.#rig = rig
  }

  /** A user's own tmux session, on the server where the agents are deployed too. */
  async tmuxSession(name: string, command = ['sleep', 'infinity']): Promise<void> {
    await this.#run(['tmux', 'new-session', '-d', '-s', name, ...command])
    await this.#rig.widenBaseline()
  }

  /** A user's own claude with children, at work in a tmux session of the user's. */
  async claude(session: string): Promise<void> {
    const journal = `${this.#rig.places.own}/${session}.ndjson`
    const prompt = `Help me. ${directiveText({ persona: 'works', journal })}`
    const flags = ['--print', '--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions']
    await this.#run(['tmux', 'new-session', '-d', '-s', session, 'claude', ...flags, prompt])
    const resting = await poll(
      20_000,
      async () => (await this.#rig.probe.read(journal))?.includes('"idle"') || undefined,
    )
    if (!resting)
      throw new CannotMeasureError(`The user’s own claude in session ${session} did not get ready.`)
    await this.#rig.waitUntilStable()
    await this.#rig.widenBaseline()
  }

  async #run(command: string[]): Promise<void> {
    const { code, stderr } = await this.#rig.probe.run(command)
    if (code !== 0)
      throw new CannotMeasureError(`A bystander could not be planted: ${command.join(' ')}: ${stderr.trim()}`)
  }
}
