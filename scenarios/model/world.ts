import {
  type Agent,
  ExpectedResources,
  type ProcessIdentity,
  type Rig,
  type SettleTiming,
} from '../../harness/index.ts'

/** One agent in the model. */
export interface Modelled {
  agent: Agent
  /** A letter, for messages. */
  name: string
  /** Whether it has a Bash tool in the background, whose command line shows the owner of the shell snapshot. */
  bash: boolean
  /** Whether it was triggered to report its completion from inside its pane. */
  reports: boolean
  /** The statuses that it may have at its end; empty while it lives, and several when endings race. */
  ends: Set<string>
  /** Whether a settling has found it ended as expected. */
  over: boolean
}

/** A call that ends an agent and runs while other steps go on. */
export interface Call {
  whose: Modelled
  ends: string
  /** Resolves with the error of the call, or undefined; never rejects. */
  error: Promise<string | undefined>
}

export interface ModelledBystander {
  name: string
  leave(): Promise<void>
}

/** The files that a daemon may hold open: the lock of the one that watches, and the log. */
export const heldByDaemon = /\/registry\/daemon\.(lock|log)$/

/** The model of one sandbox: agents with their endings, bystanders, and cleaners. */
export class World {
  readonly rig: Rig
  readonly expected: ExpectedResources
  readonly agents: Modelled[] = []
  readonly bystanders: ModelledBystander[] = []
  /** What was done so far, in sentences. */
  readonly log: string[] = []
  calls: Call[] = []
  /** The last daemon belongs to the current orchestrator. The others belong to earlier ones, and end when unneeded. */
  daemons: ProcessIdentity[] = []

  readonly timing: SettleTiming | undefined

  constructor(rig: Rig, timing?: SettleTiming) {
    this.rig = rig
    this.timing = timing
    this.expected = new ExpectedResources(rig)
  }

  /** Finds the daemon that the orchestrator has started. */
  async findDaemon(): Promise<void> {
    const { resources } = await this.rig.snapshot()
    const owner = `--owner-pid ${this.rig.system.pid}`
    const found = resources.find(one => one.kind === 'process' && one.command.endsWith(owner))
    if (found?.kind !== 'process') throw new Error('The system has started no daemon.')
    for (const one of this.daemons) this.expected.makeOptional(one)
    this.daemons.push(found)
    await this.expected.addProcess(found, heldByDaemon)
  }

  /** The agents that no settling has found ended. */
  get present(): Modelled[] {
    return this.agents.filter(({ over }) => !over)
  }

  get living(): Modelled[] {
    return this.agents.filter(({ ends }) => ends.size === 0)
  }

  /** The agent that a command refers to; undefined when there is none. */
  choose(whom: number): Modelled | undefined {
    return this.present[whom % this.present.length]
  }

  /**
   * An agent crashes. A claude that is killed leaves its shell snapshot, and only a running Bash tool shows the owner. A
   * claude that gets SIGHUP ends its Bash tools first, which takes 2 s, and longer on a busy machine: then it is killed at
   * the end of the cleanup's grace.
   */
  crashes(whose: Modelled, how: 'killed' | 'hung up'): void {
    if ((how === 'killed') !== whose.bash) this.expected.leavesShellSnapshot(whose.agent.id)
    this.ends(whose, 'crashed')
  }

  /** An ending of the agent begins: it may get this status, and need not be there any more. */
  ends(whose: Modelled, status: string): void {
    whose.ends.add(status)
    this.expected.remove(whose.agent.id)
  }
}
