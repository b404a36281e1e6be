import type { ProcessIdentity } from '../probe/api.ts'
import type { PaneResource, Resource, Snapshot } from '../snapshot/snapshot.ts'
import type { Expected } from './measurement.ts'
import type { Rig } from './rig.ts'

/**
 * Who has to be there although they came after the baseline: agents that live, bystanders, a daemon that was
 * started anew. Unlike `Rig.widenBaseline`, which takes whatever belongs to nobody, it counts each one's
 * belongings by themselves: that is also safe when others have ended before, and left something behind.
 */
export class Company {
  readonly #rig: Rig
  readonly #present = new Map<string, Resource[]>()
  readonly #gone = new Set<string>()
  /** Processes that may stay or leave. */
  readonly #free = new Set<string>()
  /** What a process may hold open, by its pid. */
  readonly #held = new Map<number, RegExp>()
  readonly #guests = new Set<string>()
  /** Whose shell snapshot a file is, which only a running Bash tool tells: whoever came when the file did. */
  readonly #shells = new Map<string, string>()
  readonly #leavingShells = new Set<string>()

  constructor(rig: Rig) {
    this.#rig = rig
  }

  /** From now on what is this owner's has to be there: an agent, or a guest, by the owner's name. */
  async add(owner: string): Promise<void> {
    const now = await this.#rig.look()
    this.#present.set(owner, belongings(owner, now))
    for (const one of now.resources)
      if (isShellSnapshot(one) && !one.owner && !this.#shells.has(one.id)) this.#shells.set(one.id, owner)
  }

  /** A bystander in a tmux session of that name, which the probe then knows as an owner. */
  async addGuest(session: string): Promise<void> {
    await this.#rig.probe.knowAgent({ id: session, session })
    this.#guests.add(session)
    await this.add(session)
  }

  /** One process that is nobody's, and the files that it may hold open, by a pattern. */
  async addProcess({ pid, start }: ProcessIdentity, mayHold = /^$/): Promise<void> {
    const { resources } = await this.#rig.look()
    const found = resources.find(({ id }) => id === `process ${pid}@${start}`)
    if (!found) throw new Error(`Process ${pid} ended as soon as it was started.`)
    this.#gone.delete(found.id)
    this.#present.set(found.id, [found])
    this.#held.set(pid, mayHold)
  }

  /** Its ending begins. What a guest leaves is its user's, and may stay; what an agent leaves is a leak. */
  remove(owner: string): void {
    this.#present.delete(owner)
  }

  /** Its claude is killed where no Bash tool tells any more whose the shell's snapshot is: that file may stay. */
  leavesShellSnapshot(owner: string): void {
    this.#leavingShells.add(owner)
  }

  /** Something of the baseline was ended on purpose: a process, by its identity. */
  removeProcess({ pid, start }: ProcessIdentity): void {
    const id = `process ${pid}@${start}`
    this.#present.delete(id)
    this.#gone.add(id)
  }

  /** A process that has been there and may leave by itself, or stay. */
  letGo(which: ProcessIdentity): void {
    this.removeProcess(which)
    this.#free.add(`process ${which.pid}@${which.start}`)
  }

  async expected(): Promise<Expected> {
    const baseline = await this.#rig.baseline()
    const all = [
      ...baseline.resources.filter(({ id }) => !this.#gone.has(id)),
      ...this.#present.values(),
    ].flat()
    const resources = [...new Map(all.map(one => [one.id, one])).values()]
    const owners = new Set([...this.#present.keys(), ...this.#guests])
    return {
      baseline: { ...baseline, resources },
      mayBeNew: one => {
        if (this.#free.has(one.id)) return true
        if (one.kind === 'descriptor' && this.#held.get(one.pid)?.test(one.path)) return true
        const whose = one.owner?.agent ?? this.#shells.get(one.id) ?? ''
        return owners.has(whose) || (isShellSnapshot(one) && this.#leavingShells.has(whose))
      },
    }
  }
}

function isShellSnapshot(one: Resource): boolean {
  return one.kind === 'file' && one.path.includes('/.claude/shell-snapshots/')
}

/** All that is an owner's, and what carries it: the terminals of its panes, and the tmux server with its socket. */
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
