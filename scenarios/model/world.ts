import {
  type Agent,
  ExpectedResources,
  type ProcessIdentity,
  type Rig,
  type SettleTiming,
} from '../../harness/index.ts'

/** What the model knows of one agent. */
export interface Modelled {
  agent: Agent
  /** A letter, for people. */
  name: string
  /** Whether it has a Bash tool in the background, which names what would be nobody's otherwise. */
  bash: boolean
  /** It was told to report its completion, from inside its pane. */
  reports: boolean
  /** What it may be registered as at its end; empty while it lives. More than one where endings race. */
  ends: Set<string>
  /** Its last settling found it ended, and right. */
  over: boolean
}

/** A call that ends an agent and was not waited for: others go on meanwhile. */
export interface Call {
  whose: Modelled
  ends: string
  /** Resolves with what the system said, where that was an error; never rejects. */
  error: Promise<string | undefined>
}

export interface ModelledBystander {
  name: string
  leave(): Promise<void>
}

/** Whichever daemon watches holds the lock, and the orchestrator's own writes its log to a file. */
export const heldByDaemon = /\/registry\/daemon\.(lock|log)$/

/** The model of one sandbox: who is there, who is at its end, and which cleaners there are. */
export class World {
  readonly rig: Rig
  readonly expected: ExpectedResources
  readonly agents: Modelled[] = []
  readonly bystanders: ModelledBystander[] = []
  readonly told: string[] = []
  calls: Call[] = []
  /** The last one belongs to the orchestrator of now; the others to one before, and leave when they are not needed. */
  daemons: ProcessIdentity[] = []

  readonly timing: SettleTiming | undefined

  constructor(rig: Rig, timing?: SettleTiming) {
    this.rig = rig
    this.timing = timing
    this.expected = new ExpectedResources(rig)
  }

  /** Looks for the daemon that the orchestrator has started by itself. */
  async findDaemon(): Promise<void> {
    const { resources } = await this.rig.snapshot()
    const owner = `--owner-pid ${this.rig.system.pid}`
    const found = resources.find(one => one.kind === 'process' && one.command.endsWith(owner))
    if (found?.kind !== 'process') throw new Error('The system has started no daemon.')
    for (const one of this.daemons) this.expected.makeOptional(one)
    this.daemons.push(found)
    await this.expected.addProcess(found, heldByDaemon)
  }

  /** Those whose end is not settled. */
  get present(): Modelled[] {
    return this.agents.filter(({ over }) => !over)
  }

  get living(): Modelled[] {
    return this.agents.filter(({ ends }) => ends.size === 0)
  }

  /** The one that a command means; undefined when nobody is there. */
  choose(whom: number): Modelled | undefined {
    return this.present[whom % this.present.length]
  }

  /**
   * It crashes. A claude that is killed leaves its shell's snapshot, and only a Bash tool that still runs tells whose
   * that is. One that is hung up ends its Bash tools first, which takes it 2 s, and more on a busy machine: then it is
   * killed at the end of its grace.
   */
  crashes(whose: Modelled, how: 'killed' | 'hung up'): void {
    if ((how === 'killed') !== whose.bash) this.expected.leavesShellSnapshot(whose.agent.id)
    this.ends(whose, 'crashed')
  }

  /** An ending of it begins: it may come out with this status, and need not be there any more. */
  ends(whose: Modelled, status: string): void {
    whose.ends.add(status)
    this.expected.remove(whose.agent.id)
  }
}
