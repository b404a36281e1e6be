import { processesByPid } from '../snapshot/by-pid.ts'
import type { Owner, ProcessResource, Resource } from '../snapshot/snapshot.ts'
import { InitialPanes } from './initial-pane.ts'
import { OwnerNames } from './owner-names.ts'
import { readEnvironment, readProcess } from './processes.ts'

/** An agent that the rig deployed: the owner of everything that comes from its session, its panes and its processes. */
export interface DeployedAgent {
  id: string
  /** The name of a session of its own. */
  session?: string
  /** Panes in sessions that are not its own, by server pid and pane id such as `41:%7`. */
  panes?: string[]
}

/** The session of the probe, and of every program that it starts without another one. */
const ownSession = readProcess(process.pid)?.sid

/** A shorter id may be a part of any file's name. */
const shortestName = 6

type Processes = Map<number, ProcessResource>

/** The pids that hold a socket or a terminal open, by `socket:[4711]` or `/dev/pts/3`. */
export type Holders = Map<string, number[]>

/** What an agent itself reported to have made, before anything ended. This needs no parent and no environment. */
export interface ReportedResources {
  pids: number[]
  paths: string[]
}

/**
 * Remembers the owner of each resource. A resource is attributed while the agent's pane, or another process of it, can
 * still be seen, and is remembered by identity after that: a process that loses its parent and its terminal keeps its
 * owner.
 */
export class Owners {
  readonly #agents = new Map<string, string>()
  readonly #ownerOf = new Map<string, Owner>()
  /** The agent of each pane, by server pid and pane id such as `41:%7`. tmux reuses no pane id. */
  readonly #panes = new Map<string, string>()
  /** What the agents' files are named after: the agent's id, and Claude's session, pid and shell snapshot. */
  readonly #names = new OwnerNames()
  readonly #initialPanes = new InitialPanes()
  readonly #learned = new Set<string>()
  /** The agent of each session (setsid). Such a number is reused only for a process that is a session leader. */
  readonly #sessions = new Map<number, string>()

  /** Adds an agent, or what was learned of it since. */
  add({ id, session, panes = [] }: DeployedAgent): void {
    if (session !== undefined) this.#agents.set(session, id)
    for (const name of [id, session])
      if (name !== undefined && name.length >= shortestName) this.#names.set(name, id)
    for (const pane of panes) this.#panes.set(pane, id)
  }

  /** Without this, a daemon with an emptied environment could not be attributed after its parent's end. */
  addReported(agent: string, { pids, paths }: ReportedResources): void {
    for (const pid of pids) {
      const one = readProcess(pid)
      if (one) this.#own(one, agent, 'reported by its agent')
    }
    for (const path of paths) this.#names.set(path, agent)
  }

  /** Sets `owner` on every resource that can be attributed. */
  attribute(resources: Resource[], holders: Holders): void {
    for (const one of resources)
      if (one.kind === 'session') this.#own(one, this.#agents.get(one.name), 'its name')
    this.#attributePanes(resources)
    const processes = processesByPid(resources)
    this.#attributeProcesses(resources, processes)
    this.#attributeServers(resources, processes)
    for (const one of resources) {
      if (one.kind === 'file' || one.kind === 'descriptor') this.#ownByName(one, one.path)
      if (one.kind === 'descriptor')
        this.#own(one, processes.get(one.pid)?.owner?.agent, `held by process ${one.pid}`)
      if (one.kind === 'socket') this.#ownByName(one, one.address)
      if (one.kind === 'socket') this.#inheritAny(one, processes, holders.get(`socket:[${one.inode}]`))
      if (one.kind === 'pty') this.#inheritAny(one, processes, holders.get(one.path))
    }
  }

  /** A tmux server that an agent started is the agent's, with everything on it. */
  #attributeServers(resources: Resource[], processes: Processes): void {
    const agentOf = (pid: number) => processes.get(pid)?.owner?.agent
    for (const one of resources) {
      if (one.kind === 'server') this.#own(one, agentOf(one.pid), 'its process')
      if (one.kind === 'session' || one.kind === 'pane')
        this.#own(one, agentOf(one.serverPid), `on server ${one.serverPid}`)
    }
  }

  #attributePanes(resources: Resource[]): void {
    for (const one of resources) {
      if (one.kind !== 'pane') continue
      const key = `${one.serverPid}:${one.pane}`
      const agent = this.#agents.get(one.sessionName)
      if (agent && !this.#panes.has(key)) this.#panes.set(key, agent)
      this.#own(one, this.#panes.get(key), `pane of session ${one.sessionName}`)
    }
  }

  #attributeProcesses(resources: Resource[], byPid: Processes): void {
    const processes = [...byPid.values()]
    for (const one of resources) {
      if (one.kind === 'pane' && one.owner)
        this.#own(byPid.get(one.pid), one.owner.agent, `process of pane ${one.pane}`)
    }
    for (const one of processes)
      this.#own(one, this.#agentByPane(one), 'TMUX_PANE in its initial environment')
    this.#initialPanes.forgetOthers()
    for (const one of processes) this.#attributeByDescent(one, byPid)
    this.#attributeBySession(processes)
  }

  /** A process that is just ending shows no environment, and its parent may be gone; /proc still shows its session. */
  #attributeBySession(processes: ProcessResource[]): void {
    for (const { pid, sid, owner } of processes) if (pid === sid && !owner) this.#sessions.delete(sid)
    for (const one of processes) this.#own(one, this.#sessions.get(one.sid), `in session ${one.sid}`)
  }

  #attributeByDescent(one: ProcessResource, byPid: Processes): Owner | undefined {
    if (this.#ownerOf.has(one.id)) this.#own(one, undefined, '')
    if (one.owner) return one.owner
    const parent = one.ppid > 1 ? byPid.get(one.ppid) : undefined
    const owner = parent && this.#attributeByDescent(parent, byPid)
    if (owner) this.#own(one, owner.agent, `child of ${parent.comm} ${parent.pid}`)
    return one.owner
  }

  #agentByPane(one: ProcessResource): string | undefined {
    if (this.#ownerOf.has(one.id)) return undefined
    return this.#panes.get(this.#initialPanes.of(one))
  }

  /** Not remembered, because the number of a terminal and the path of a socket are reused. */
  #inheritAny(one: Resource, processes: Processes, pids: number[] = []): void {
    if (one.owner) return
    const pid = pids.find(pid => processes.get(pid)?.owner)
    const owner = pid === undefined ? undefined : processes.get(pid)?.owner
    if (owner) one.owner = { agent: owner.agent, evidence: `held by process ${pid}` }
  }

  /** Not remembered, because an agent with a longer name that matches too may be registered later. */
  #ownByName(resource: Resource, path: string): void {
    const agent = this.#names.ownerIn(path)
    if (agent) resource.owner = { agent, evidence: 'its name' }
  }

  /** Learns from a program that is new what its agent's files are named after. */
  #learnNames({ id, pid, comm, command }: ProcessResource, agent: string): void {
    // A process runs several programs in turn: bash becomes node, and node calls itself claude.
    if (this.#learned.has(`${id} ${comm}`)) return
    this.#learned.add(`${id} ${comm}`)
    const session = readEnvironment(pid).get('CLAUDE_CODE_SESSION_ID')
    // The agent's claude was the first: a session that a user opens on a tmux server of the agent's inherits the variable.
    if (session && !this.#names.has(session)) this.#names.set(session, agent)
    const snapshot = /\/shell-snapshots\/[\w.-]+/.exec(command)?.[0]
    const claude = comm === 'claude' ? [`/sessions/${pid}.`, `/cc-socks/${pid}.`] : []
    for (const name of [snapshot, ...claude]) if (name) this.#names.set(name, agent)
  }

  #own(resource: Resource | undefined, agent: string | undefined, evidence: string): void {
    if (!resource || resource.owner) return
    const owner = this.#ownerOf.get(resource.id) ?? (agent ? { agent, evidence } : undefined)
    if (!owner) return
    this.#ownerOf.set(resource.id, owner)
    if (resource.kind === 'process') {
      this.#learnNames(resource, owner.agent)
      // What a program of the system starts directly is in the session of the probe, as the program itself is.
      if (resource.sid !== ownSession) this.#sessions.set(resource.sid, owner.agent)
    }
    resource.owner = owner
  }
}
