import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { cleanUp, sweep } from '../../index.ts'
import type { Identity } from '../../platform/processes/identity.ts'
import { isAlive, startOf } from '../../platform/processes/table.ts'
import { quote } from '../../platform/shell.ts'
import { attachTo } from '../support/attach.ts'
import { kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

/*
 * Users and an agent do anything on two tmux servers, the users' and one that the agent started. Whatever a user began is
 * still there after the cleanup and a sweep; what the agent began has ended, or is named. The rule is in
 * claims/others-live-in.ts.
 */

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const SERVERS = ['shared', 'nested'] as const
type ServerName = (typeof SERVERS)[number]

const ACTIONS = [
  'a user opens a session',
  'a user opens an agent_ session, and attaches',
  'a user opens a session in the group of the agent’s',
  'a user opens a window',
  'a user attaches to the agent’s session, and splits it',
  'a user attaches',
  'a user starts a daemon',
  'a user starts a daemon without TMUX',
  'a user starts a tmux server without TMUX',
  'the agent splits its window',
  'the agent opens a window',
  'the agent opens a session',
  'link-window',
  'move-window',
  'join-pane',
  'swap-pane',
  'break-pane',
  'rename-session',
] as const

interface Step {
  action: (typeof ACTIONS)[number]
  server: ServerName
  /** Which of the sessions there: 0 is the agent’s first. */
  from: number
  to: number
}

/** A world that steps have made: who began which pane, and the sessions in the order in which they were opened. */
class World {
  readonly users: (Identity & { what: string })[] = []
  readonly agents: (Identity & { what: string })[] = []
  readonly #sockets: Record<ServerName, string>
  readonly #sessions: Record<ServerName, { id: string; isUsers: boolean }[]> = { shared: [], nested: [] }
  #opened = 0

  constructor(nested: string) {
    this.#sockets = { shared: rig.socket, nested }
  }

  tmux = (server: ServerName, ...words: string[]) => rig.tmux('-S', this.#sockets[server], ...words)

  /** Takes the sessions that were there at the beginning as the agent's. */
  begin(server: ServerName, session: string): void {
    const [id = '', pid] = this.tmux(
      server,
      ...['display-message', '-p', '-t', `=${session}:`, '#{session_id} #{pane_pid}'],
    ).split(' ')
    this.#sessions[server].push({ id, isUsers: false })
    this.#note(this.agents, Number(pid), session)
  }

  /** A step without a target, or without room, does nothing. */
  async carryOut({ action, server, from, to }: Step): Promise<void> {
    const sessions = this.#sessions[server]
    const [one, other] = [from, to].map(n => sessions[n % sessions.length] ?? { id: '', isUsers: false })
    const first = sessions[0]?.id ?? ''
    const source = ['-s', `${one?.id}:`]
    const target = ['-t', `${other?.id}:`]
    const users = sessions.filter(({ isUsers }) => isUsers)
    const at = users[from % users.length]?.id
    const name = `s${this.#opened++}`
    switch (action) {
      case 'a user opens a session':
        return this.#open(server, name, true)
      case 'a user opens an agent_ session, and attaches':
        await this.#open(server, `agent_${name}`, true)
        return this.#attach(server, sessions.at(-1)?.id)
      case 'a user opens a session in the group of the agent’s':
        // Unnamed, it is called after the agent's session, as a leftover is.
        this.#add(
          server,
          true,
          this.tmux(server, 'new-session', '-d', '-P', '-F', '#{session_id}', '-t', first),
        )
        return this.#pane(this.users, server, 'new-window', '-d', '-t', `${sessions.at(-1)?.id}:`)
      case 'a user opens a window':
        return at === undefined
          ? undefined
          : this.#pane(this.users, server, 'new-window', '-d', '-t', `${at}:`)
      case 'a user attaches to the agent’s session, and splits it':
        await this.#attach(server, first)
        return this.#pane(this.users, server, 'split-window', '-d', '-t', `${first}:`)
      case 'a user attaches':
        return this.#attach(server, at)
      case 'a user starts a daemon':
        return this.#startFrom(server, at, name, command => `setsid -f ${command}`)
      case 'a user starts a daemon without TMUX':
        return this.#startFrom(server, at, name, command => `env -u TMUX -u TMUX_PANE setsid -f ${command}`)
      case 'a user starts a tmux server without TMUX':
        return this.#startFrom(
          ...([server, at, name] as const),
          command =>
            `TMUX= tmux -f /dev/null -S ${this.#sockets.nested}-${name} new-session -d ${quote(command)}`,
        )
      case 'the agent splits its window':
        return this.#pane(this.agents, server, 'split-window', '-d', '-t', `${first}:`)
      case 'the agent opens a window':
        return this.#pane(this.agents, server, 'new-window', '-d', '-t', `${first}:`)
      case 'the agent opens a session':
        // On the users' server nothing but its name would show whose it is.
        return server === 'nested' ? this.#open(server, name, false) : undefined
      case 'rename-session':
        this.#try(server, action, '-t', `${one?.id}:`, `renamed ${name}`)
        return
      default:
        this.#try(server, action, '-d', ...source, ...target)
    }
  }

  /** The sessions that users opened and in which something of theirs lives, each with its server. */
  usersSessions(): string[] {
    const isUsers = (pid: string | undefined) => this.users.some(one => String(one.pid) === pid)
    return this.#listed('#{pane_pid} #{session_id}').flatMap(([server, line]) => {
      const [pid, id] = line.split(' ')
      const isTheirs = this.#sessions[server].some(one => one.id === id && one.isUsers)
      return isTheirs && isUsers(pid) ? `${server} ${id}` : []
    })
  }

  /** The sessions that show the pane of a process, as the reports name them. */
  homesOf(pid: number): string[] {
    return this.#listed('#{pane_pid} #{session_name} (#{session_id}').flatMap(([, line]) =>
      line.startsWith(`${pid} `) ? line.slice(`${pid} `.length) : [],
    )
  }

  sessions = (): string[] => this.#listed('#{session_id}').map(([server, id]) => `${server} ${id}`)

  #listed(format: string): [ServerName, string][] {
    return SERVERS.flatMap(server => {
      if (!fs.existsSync(this.#sockets[server])) return []
      return this.#try(server, 'list-panes', '-a', '-F', format)
        .split('\n')
        .filter(Boolean)
        .map((line): [ServerName, string] => [server, line])
    })
  }

  /** Closes everything but the rig's own session. */
  end(): void {
    for (const { id } of this.#sessions.shared) this.#try('shared', 'kill-session', '-t', id)
    for (const { pid } of [...this.users, ...this.agents].filter(one => isAlive(one))) kill(pid)
    if (fs.existsSync(this.#sockets.nested)) this.#try('nested', 'kill-server')
  }

  #open(server: ServerName, name: string, isUsers: boolean): void {
    const format = '#{pane_pid} #{session_id}'
    const words = ['new-session', '-d', '-P', '-F', format, '-s', name, '--', 'sleep', '1000']
    const [pid, id] = this.tmux(server, ...words).split(' ')
    this.#add(server, isUsers, id ?? '')
    this.#note(isUsers ? this.users : this.agents, Number(pid), name)
  }

  #add = (server: ServerName, isUsers: boolean, id: string) => this.#sessions[server].push({ id, isUsers })

  async #attach(server: ServerName, session: string | undefined): Promise<void> {
    const isThere =
      session !== undefined &&
      this.#try(server, 'has-session', '-t', session, ';', 'display', '-p', 'yes') === 'yes'
    if (isThere) await attachTo(rig, this.#sockets[server], session)
  }

  #pane(whose: World['users'], server: ServerName, command: string, ...words: string[]): void {
    const format = '#{pane_pid} #{pane_id}'
    const made = this.#try(server, command, '-P', '-F', format, ...words, '--', 'sleep', '1000')
    const [pid, id] = made.split(' ')
    if (id !== undefined) this.#note(whose, Number(pid), `${server} ${command} ${id}`)
  }

  /** A window of the user's starts a process that outlives it, which has left the window's tree. */
  async #startFrom(
    server: ServerName,
    session: string | undefined,
    name: string,
    start: (command: string) => string,
  ): Promise<void> {
    if (session === undefined) return
    // Worlds share the folder.
    const unique = `${path.basename(this.#sockets.nested)}-${name}`
    const file = path.join(rig.folder, `${unique}.pid`)
    const noted = `echo $$ >${file}; exec sleep 1000`
    const made = this.#try(
      server,
      ...['new-window', '-d', '-P', '-F', '#{pane_id}', '-t', `${session}:`],
      // A window that closes hangs up what has not left it yet.
      `${start(`sh -c ${quote(noted)}`)}; until [ -s ${file} ]; do sleep 0.05; done`,
    )
    if (made !== '') this.#note(this.users, await rig.pid(unique), `${server} ${name}`)
  }

  #note(whose: World['users'], pid: number, what: string): void {
    whose.push({ pid, start: startOf(pid) ?? -1, what })
  }

  #try(server: ServerName, ...words: string[]): string {
    try {
      return this.tmux(server, ...words)
    } catch {
      return ''
    }
  }
}

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.constantFrom(...ACTIONS),
  server: fc.constantFrom(...SERVERS),
  from: fc.nat({ max: 4 }),
  to: fc.nat({ max: 4 }),
})
const deployment = fc.constantFrom({}, { contained: true }, { recorded: false })
let deployed = 0

test('what others live in is not ended, and what an agent began has ended or is named', {
  tags: ['long'],
  timeout: 600_000,
}, async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 10 }), deployment, async (steps, how) => {
    const id = `w${deployed++}`
    const nested = path.join(rig.folder, `nested-${id}`)
    const ref = await rig.deploy(id, {
      claude: `tmux -f /dev/null -S ${nested} new-session -d -s swarm 'exec sleep 1000'; echo ready; sleep 1000 & wait`,
      ...how,
    })
    const world = new World(nested)
    try {
      world.begin('shared', `agent_${id}`)
      world.begin('nested', 'swarm')
      for (const one of steps) await world.carryOut(one)
      const before = world.usersSessions()
      const gone = () => world.users.filter(one => !isAlive(one)).map(({ what }) => what)
      expect(gone()).toEqual([])

      const { notes, problems, suspects } = await cleanUp(ref, {
        ...{ status: 'completed', reason: 'it said so', graceMs: 1_000 },
      })
      expect(gone()).toEqual([])
      expect(before.filter(one => !world.sessions().includes(one))).toEqual([])
      const named = [...notes, ...problems].join('\n')
      const left = world.agents.filter(one => isAlive(one))
      const isNamed = ({ pid }: Identity) =>
        named.includes(`process ${pid}`) ||
        world.homesOf(pid).some(home => named.includes(home)) ||
        suspects.some(one => one.pid === pid)
      expect(left.filter(one => !isNamed(one)).map(({ what }) => [what, named])).toEqual([])

      await sweep(rig.workspace, { apply: true, orphans: true, minAgeMs: 0, graceMs: 1_000 })
      expect(gone()).toEqual([])
      expect(before.filter(one => !world.sessions().includes(one))).toEqual([])
    } finally {
      world.end()
      await until('its processes have ended', () => !world.users.some(one => isAlive(one)))
    }
  })
  // With the variable, other worlds each time, reduced to the shortest; without it the same ones, because each costs a second.
  const runs = process.env.OTHERS_RUNS
  await fc.assert(
    property,
    runs === undefined ? { numRuns: 16, seed: -692860247, endOnFailure: true } : { numRuns: Number(runs) },
  )
})
