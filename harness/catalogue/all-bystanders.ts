import { join } from 'node:path'
import type { Agent } from '../rig/agent.ts'
import type { Rig } from '../rig/rig.ts'
import { CannotMeasureError } from '../sandbox/sandbox.ts'

/** Where the user's own tmux sessions are: on the server that agents are deployed to, or on another one. */
export type Server = 'shared' | 'apart'

/**
 * Every bystander of the catalogue, planted with two calls. All but the neighbour agent are light stand-ins: a cell
 * has to cost little, and a user's claude at its full size (1 s of a core) stands in the other scenarios.
 */
export class Crowd {
  readonly #rig: Rig
  readonly #server: Server

  /** `apart` where a fault ends the agents' server: there is no neighbour then, whom it would end too. */
  constructor(rig: Rig, server: Server = 'shared') {
    this.#rig = rig
    this.#server = server
  }

  /** Those who are there before any agent: before the first deploy, so that they are part of the baseline. */
  gathers(): Promise<void> {
    return this.#run('before-deploy.sh', this.#server)
  }

  /**
   * Those who come close to an agent that was launched: what is named like it, and a neighbour whose id begins with the
   * agent's and who works on. The agent is at work when this resolves; the neighbour is returned.
   */
  async gathersAround(agent: Agent): Promise<Agent | undefined> {
    await Promise.all([this.#surround(agent), this.#rig.seeAtWork(agent)])
    // The neighbour comes last: while two claudes are there, either may have taken a snapshot of the shell, and a cleanup is
    // right to leave it.
    const neighbour =
      this.#server === 'shared' ? await this.#rig.launch({ persona: 'works', type: agent.id }) : undefined
    await neighbour?.isResting()
    // They make no file: one of nobody's is the agent's, such as the snapshot of a shell that runs no command yet.
    await this.#rig.widenBaseline(neighbour, one => one.kind !== 'file')
    return neighbour
  }

  #surround({ id, session, taskId }: Agent): Promise<void> {
    const folder = `${this.#rig.places.workspace}/${taskId}`
    const server = this.#server === 'shared' ? 'default' : 'users'
    return this.#run(
      'around-agent.sh',
      id,
      session,
      `${folder}/logs/${id}_stream.jsonl`,
      `${folder}/${id}`,
      server,
    )
  }

  async #run(script: string, ...args: string[]): Promise<void> {
    const { code, stderr } = await this.#rig.probe.run([
      'sh',
      join(import.meta.dirname, 'all-bystanders', script),
      ...args,
    ])
    if (code !== 0)
      throw new CannotMeasureError(`The bystanders could not be planted (${script}): ${stderr.trim()}`)
  }
}
