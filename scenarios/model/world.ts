import { type Agent, Company, type ProcessIdentity, type Rig } from '../../harness/index.ts'

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

export interface Guest {
  name: string
  leave(): Promise<void>
}

/** The model of one sandbox: who is there, who is at its end, and which of the cleaners live. */
export class World {
  readonly rig: Rig
  readonly company: Company
  readonly agents: Modelled[] = []
  readonly guests: Guest[] = []
  readonly told: string[] = []
  calls: Call[] = []
  /** Undefined while no daemon runs. */
  daemon: ProcessIdentity | undefined

  constructor(rig: Rig) {
    this.rig = rig
    this.company = new Company(rig)
  }

  /** Looks for the daemon that the system started by itself. */
  async findDaemon(): Promise<void> {
    const { resources } = await this.rig.look()
    const found = resources.find(one => one.kind === 'process' && isDaemon.test(one.command))
    this.daemon = found?.kind === 'process' ? found : undefined
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

  /** An ending of it begins: it may come out with this status, and need not be there any more. */
  ends(whose: Modelled, status: string): void {
    whose.ends.add(status)
    this.company.remove(whose.agent.id)
  }
}

const isDaemon = /^\S+ \S*\/cleanup\/bin\/daemon\.ts /
