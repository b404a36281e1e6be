import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { whoLooksAt } from '../../claims/others-live-in.ts'
import { readRegistries } from '../../registry/read-all.ts'
import { findLeft } from '../../sweep/left.ts'
import { findUnlisted, removeUnlisted } from '../../sweep/unlisted.ts'
import { readServer } from '../../tmux/server.ts'
import { attach } from '../support/attach.ts'
import { leakrig } from '../support/cli.ts'
import { Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

/* A session with an agent's name that no registry lists may be a person's: one that somebody looks at is left alone. */

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
  rig.tmux('new-session', '-d', '-s', 'agent_notes', 'sleep 1000')
  rig.tmux('new-session', '-d', '-s', 'agent_left', 'sleep 1000')
})
afterEach(() => rig[Symbol.asyncDispose]())

const sweep = (...args: string[]) =>
  leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--grace', '1s', '--min-age', '0s', ...args])

describe('a session without an agent is left alone while somebody', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['is attached to it', () => attach(rig, 'agent_notes')],
    ['only reads it', () => attach(rig, 'agent_notes', '-r')],
    ['shows it in a program that speaks to tmux (control mode)', () => attach(rig, 'agent_notes', '-C')],
    [
      'is attached to a session of its group',
      async () => {
        rig.tmux('new-session', '-d', '-s', 'mine', '-t', '=agent_notes')
        await attach(rig, 'mine')
      },
    ],
    [
      'is attached to a session that shows one of its windows',
      async () => {
        rig.tmux('link-window', '-s', '=agent_notes:0', '-t', '=user:7')
        await attach(rig, 'user')
      },
    ],
    [
      'was in it before, and is in another session now',
      async () => {
        await attach(rig, 'agent_notes')
        const tty = rig.tmux('list-clients', '-F', '#{client_tty}')
        rig.tmux('switch-client', '-c', tty, '-t', '=user:')
      },
    ],
  ])('%s', async (_, look) => {
    await look()
    const { code, out } = sweep()
    expect(code).toBe(0)
    expect(rig.sessions()).toContain('agent_notes')
    expect(rig.sessions()).not.toContain('agent_left')
    expect(out).toMatch(
      /session agent_notes .* is left alone, because somebody looks at it: client \d+ of user \d+ .*since .*; --session agent_notes removes it/,
    )
  })

  test('used it a moment ago', async () => {
    const client = await attach(rig, 'agent_notes')
    process.kill(client, 'SIGTERM')
    await until('it is detached', () => rig.tmux('list-clients') === '')
    const server = await readServer(rig.socket)
    if (!server) throw new Error('there is no server')
    const [left, notes] = ['agent_left', 'agent_notes'].map(name => {
      const session = server.sessions.find(one => one.name === name)
      return session && whoLooksAt(session, server, [], 600_000)
    })
    expect([left, notes]).toEqual([undefined, expect.stringMatching(/^somebody used it \d+ s ago$/)])
  })

  test('attaches between the plan and its execution', async () => {
    const registries = readRegistries(rig.workspace)
    const left = await findLeft(rig.workspace, registries, [])
    const found = await findUnlisted(rig.workspace, registries, left, 0)
    expect(found.sessions.map(({ name, inUse }) => [name, inUse])).toEqual([
      ['agent_left', undefined],
      ['agent_notes', undefined],
    ])
    await attach(rig, 'agent_notes')
    await removeUnlisted(rig.workspace, found, { graceMs: 300, minAgeMs: 0, named: [] })
    expect(rig.sessions().sort()).toEqual(['agent_notes', 'user'])
    expect(found.sessions.map(one => one.inUse)).toEqual([undefined, expect.stringContaining('looks at it')])
  })
})

describe('asked for by its name', () => {
  test('it is removed although somebody looks at it, and a dry run names that', async () => {
    await attach(rig, 'agent_notes')
    rig.tmux('split-window', '-d', '-t', '=agent_notes:', 'sleep 1000')
    const words = ['sweep', rig.workspace, '--min-age', '0s', '--session', 'agent_notes']
    expect(leakrig(words).out).toMatch(/agent_notes .* is removed, although somebody looks at it/)
    expect(leakrig([...words, '--apply']).code).toBe(0)
    expect(rig.sessions().sort()).toEqual(['agent_left', 'user'])
  })

  test.each(['agent_note', 'agent_', 'user', '=agent_notes', 'agent_notes:0'])(
    'only an exact name counts: %s',
    async name => {
      const { code, err } = sweep('--session', name)
      const why = name === 'user' ? /The session "user" .* is not named agent_\*/ : /There is no session "/
      expect([code, err]).toEqual([2, expect.stringMatching(why)])
      expect(rig.sessions().sort()).toEqual(['agent_left', 'agent_notes', 'user'])
    },
  )
})
