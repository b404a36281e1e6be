import { dirname, join } from 'node:path'
import { CannotMeasureError } from '../errors.ts'
import type { Agent } from '../rig/agent.ts'
import type { Rig } from '../rig/rig.ts'
import { logPaths } from '../rig/stream-log.ts'
import { plantRegistryEntries } from './all-bystanders/registry-entries.ts'

/** The tmux server of the user's own sessions: the one that agents are deployed to, or another one. */
export type BystanderServer = 'shared' | 'separate'

/**
 * Every bystander of the catalogue, planted by two scripts, and the entries of others in the registries. All but the neighbour agent are light stand-ins, because
 * every cell plants them: a claude of full size takes 1 s of a core, and the other scenarios have one.
 */
export class AllBystanders {
  readonly #rig: Rig
  readonly #server: BystanderServer

  /** `separate` is for faults that end the agents' server. There is no neighbour then: the fault would end it too. */
  constructor(rig: Rig, server: BystanderServer = 'shared') {
    this.#rig = rig
    this.#server = server
  }

  /** Plants those that are there before any agent. Before the first deploy, so that they are part of the baseline. */
  async plant(): Promise<void> {
    await Promise.all([this.#run('before-deploy.sh', this.#server), plantRegistryEntries(this.#rig)])
  }

  /**
   * Plants those that resemble an agent that was launched: sessions and processes named like it, and a neighbour agent
   * whose id begins with the agent's and which goes on working. Resolves when the agent runs, with the neighbour.
   */
  async plantAround(agent: Agent): Promise<Agent | undefined> {
    // Where the system's answer names no session, its name is known only then.
    await this.#rig.waitUntilRunning(agent)
    await this.#surround(agent)
    // The neighbour comes last: while two claudes run, a snapshot of the shell may be either's, and a cleanup is
    // right to leave it.
    const neighbour =
      this.#server === 'shared' ? await this.#rig.deploy({ persona: 'works', type: agent.id }) : undefined
    await neighbour?.isResting()
    // These bystanders make no files. A file without an owner is the agent's, such as its shell snapshot before the
    // first command runs.
    await this.#rig.widenBaseline(neighbour, one => one.kind !== 'file')
    return neighbour
  }

  #surround(agent: Agent): Promise<void> {
    const { id, values } = agent
    const { session = '' } = values
    const log = logPaths(agent)?.live ?? ''
    const marker = `${dirname(dirname(log))}/${id}`
    const server = this.#server === 'shared' ? 'default' : 'users'
    return this.#run('around-agent.sh', id, session, log, marker, server)
  }

  async #run(script: string, ...args: string[]): Promise<void> {
    const file = join(import.meta.dirname, 'all-bystanders', script)
    const { code, stderr } = await this.#rig.probe.run(['sh', file, ...args])
    if (code !== 0)
      throw new CannotMeasureError(`The bystanders could not be planted (${script}): ${stderr.trim()}`)
  }
}
