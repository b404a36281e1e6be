import type { Owner, ProcessResource, Resource } from '../snapshot/snapshot.ts'
import { readEnvironment } from './processes.ts'

/** An agent the rig deployed: the owner of whatever comes out of its session. */
export interface KnownAgent {
  id: string
  session: string
}

/**
 * Remembers whose each resource is. What an agent started is recognised while its pane, or one of its
 * other processes, can still be seen, and remembered by identity after that: a process that lost its
 * parent and its terminal has not lost its owner.
 */
export class Owners {
  readonly #agents = new Map<string, string>()
  readonly #known = new Map<string, Owner>()
  /** Server pid and pane id, such as `41:%7`, to the agent. Neither is given again while the server lives. */
  readonly #panes = new Map<string, string>()
  /** Claude names files of its own after its pid. */
  readonly #pids = new Map<number, string>()

  add(agent: KnownAgent): void {
    this.#agents.set(agent.session, agent.id)
  }

  /** Sets `owner` on every resource that can be attributed. */
  attribute(resources: Resource[]): void {
    for (const one of resources)
      if (one.kind === 'session') this.#own(one, this.#agents.get(one.name), 'its name')
    this.#attributePanes(resources)
    this.#attributeProcesses(resources)
    for (const one of resources) {
      if (one.kind === 'file' || one.kind === 'descriptor') this.#ownByName(one, one.path)
      if (one.kind === 'descriptor') this.#inherit(one, resources, one.pid, 'held by')
      if (one.kind === 'socket') this.#ownByName(one, one.address)
    }
  }

  #attributePanes(resources: Resource[]): void {
    for (const one of resources) {
      if (one.kind !== 'pane') continue
      const agent = this.#agents.get(one.sessionName)
      if (agent) this.#panes.set(`${one.serverPid}:${one.pane}`, agent)
      this.#own(one, agent, `pane of session ${one.sessionName}`)
    }
  }

  #attributeProcesses(resources: Resource[]): void {
    const processes = resources.filter(one => one.kind === 'process')
    const byPid = new Map(processes.map(one => [one.pid, one]))
    for (const one of resources) {
      if (one.kind === 'pane' && one.owner)
        this.#own(byPid.get(one.pid), one.owner.agent, `process of pane ${one.pane}`)
    }
    for (const one of processes) this.#own(one, this.#agentByPane(one), 'TMUX_PANE in its first environment')
    for (const one of processes) this.#attributeByDescent(one, byPid)
  }

  #attributeByDescent(one: ProcessResource, byPid: Map<number, ProcessResource>): Owner | undefined {
    const known = this.#known.get(one.id)
    if (known) {
      one.owner = known
      return known
    }
    const parent = one.ppid > 1 ? byPid.get(one.ppid) : undefined
    const owner = parent && this.#attributeByDescent(parent, byPid)
    if (owner) this.#own(one, owner.agent, `child of ${parent.comm} ${parent.pid}`)
    return one.owner
  }

  #agentByPane(one: ProcessResource): string | undefined {
    if (this.#known.has(one.id)) return undefined
    const environment = readEnvironment(one.pid)
    const serverPid = environment.get('TMUX')?.split(',')[1]
    return this.#panes.get(`${serverPid}:${environment.get('TMUX_PANE')}`)
  }

  #inherit(one: Resource, resources: Resource[], pid: number, how: string): void {
    const holder = resources.find(other => other.kind === 'process' && other.pid === pid)
    this.#own(one, holder?.owner?.agent, `${how} process ${pid}`)
  }

  #agentByPidIn(path: string): string | undefined {
    const pid = /\/(?:sessions|cc-socks)\/(\d+)\./.exec(path)?.[1]
    return pid ? this.#pids.get(Number(pid)) : undefined
  }

  /**
   * The longest id wins: one agent's id may be the beginning of another's. Not remembered, because the
   * agent with the longer one may not be known yet.
   */
  #ownByName(resource: Resource, name: string): void {
    const [agent] = [...this.#agents.values()]
      .filter(id => name.includes(id))
      .sort((a, b) => b.length - a.length)
    if (agent) resource.owner = { agent, evidence: 'its name' }
  }

  #own(resource: Resource | undefined, agent: string | undefined, evidence: string): void {
    if (!resource || resource.owner) return
    const known = this.#known.get(resource.id) ?? (agent ? { agent, evidence } : undefined)
    if (!known) return
    this.#known.set(resource.id, known)
    if (resource.kind === 'process') this.#pids.set(resource.pid, known.agent)
    resource.owner = known
  }
}
