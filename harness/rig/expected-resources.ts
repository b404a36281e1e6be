import type { PaneResource, ProcessIdentity, Resource, Snapshot } from '../snapshot/snapshot.ts'
import type { Expected } from './measurement.ts'
import type { Rig } from './rig.ts'

/**
 * What has to be there although it came after the baseline: agents that live, bystanders, a daemon that was
 * restarted. `Rig.widenBaseline` takes everything without an owner, which is wrong once an ended agent may have left
 * something; this keeps the resources of each owner apart.
 */
export class ExpectedResources {
  readonly #rig: Rig
  readonly #present = new Map<string, Resource[]>()
  readonly #gone = new Set<string>()
  /** Processes that may stay or end. */
  readonly #optional = new Set<string>()
  /** What a process may hold open, by its pid. */
  readonly #held = new Map<number, RegExp>()
  readonly #bystanders = new Set<string>()
  /**
   * The owner of each shell snapshot. Only a running Bash tool shows whose snapshot a file is; until then it counts as
   * that of the owner who was added when it appeared.
   */
  readonly #shells = new Map<string, string>()
  readonly #leavingShells = new Set<string>()

  constructor(rig: Rig) {
    this.#rig = rig
  }

  /** From now on the resources of this owner have to be there: an agent by its id, a bystander by its session. */
  async add(owner: string): Promise<void> {
    const now = await this.#rig.snapshot()
    this.#present.set(owner, belongings(owner, now))
    for (const one of now.resources)
      if (isShellSnapshot(one) && !one.owner && !this.#shells.has(one.id)) this.#shells.set(one.id, owner)
  }

  /** Adds a bystander in a tmux session of that name, which becomes an owner for the probe. */
  async addBystander(session: string): Promise<void> {
    await this.#rig.probe.registerAgent({ id: session, session })
    this.#bystanders.add(session)
    await this.add(session)
  }

  /** Adds one process without an owner. `mayHold` matches the files that it may hold open. */
  async addProcess({ pid, start }: ProcessIdentity, mayHold = /^$/): Promise<void> {
    const { resources } = await this.#rig.snapshot()
    const found = resources.find(({ id }) => id === `process ${pid}@${start}`)
    if (!found) throw new Error(`Process ${pid} ended as soon as it was started.`)
    this.#gone.delete(found.id)
    this.#present.set(found.id, [found])
    this.#held.set(pid, mayHold)
  }

  /** The owner's ending begins. What a bystander leaves may stay; what an agent leaves is a leak. */
  remove(owner: string): void {
    this.#present.delete(owner)
  }

  /** The agent's claude is killed while no Bash tool shows whose its shell snapshot is, so that file may stay. */
  leavesShellSnapshot(owner: string): void {
    this.#leavingShells.add(owner)
  }

  /** A process was ended on purpose, also one of the baseline. */
  removeProcess({ pid, start }: ProcessIdentity): void {
    const id = `process ${pid}@${start}`
    this.#present.delete(id)
    this.#gone.add(id)
  }

  /** From now on a process may end by itself, or stay. */
  makeOptional(process: ProcessIdentity): void {
    this.removeProcess(process)
    this.#optional.add(`process ${process.pid}@${process.start}`)
  }

  /** What a settling has to compare with now. */
  async atSettling(): Promise<Expected> {
    const baseline = await this.#rig.baseline()
    const all = [
      ...baseline.resources.filter(({ id }) => !this.#gone.has(id)),
      ...this.#present.values(),
    ].flat()
    const resources = [...new Map(all.map(one => [one.id, one])).values()]
    const owners = new Set([...this.#present.keys(), ...this.#bystanders])
    return {
      baseline: { ...baseline, resources },
      mayBeNew: one => {
        if (this.#optional.has(one.id)) return true
        if (one.kind === 'descriptor' && this.#held.get(one.pid)?.test(one.path)) return true
        const owner = one.owner?.agent ?? this.#shells.get(one.id) ?? ''
        return owners.has(owner) || (isShellSnapshot(one) && this.#leavingShells.has(owner))
      },
    }
  }
}

function isShellSnapshot(one: Resource): boolean {
  return one.kind === 'file' && one.path.includes('/.claude/shell-snapshots/')
}

/** Everything of one owner, with what carries it: the terminals of its panes, and the tmux server with its socket. */
function belongings(owner: string, { resources }: Snapshot): Resource[] {
  const own = resources.filter(one => one.owner?.agent === owner)
  const panes = own.filter((one): one is PaneResource => one.kind === 'pane')
  const carries = (one: Resource): boolean =>
    panes.some(({ serverPid, socket, tty }) => {
      if (one.kind === 'server' || one.kind === 'process') return one.pid === serverPid
      if (one.kind === 'socket') return one.address === `unix ${socket}`
      return one.kind === 'pty' && one.path === tty
    })
  return [...own, ...resources.filter(one => one.owner?.agent !== owner && carries(one))]
}
