import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { cleanUp, sweep } from '../../index.ts'
import { addAgent, RECORD_FORMAT, type RecordedTmux, recordOf } from '../../orchestrator.ts'
import { startOf } from '../../platform/processes/table.ts'
import { queryTmux } from '../../tmux/query.ts'
import { Rig } from '../support/rig.ts'
import { Witness } from '../support/witness.ts'

/*
 * A tmux server of the agent's own, which answers what the agent likes: `command-alias` gives every command of a client
 * another meaning.
 */

let rig: Rig
let witness: Witness
let user: RecordedTmux
beforeEach(async () => {
  rig = await Rig.start()
  witness = new Witness(rig, 'user')
  const line = ['new-session', '-d', '-P', '-F', RECORD_FORMAT, '-s', 'work', '--', ...witness.command]
  user = recordOf(rig.tmux('-f', '/dev/null', ...line))
  await witness.pid()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Makes the server behind a socket say that it is another one, with the user's session, called as the agent's. */
function teachLies(socket: string, about: string): void {
  const { session_id, session_created, pane_id, pane_pid } = user
  // What comes after an alias is appended to it; a new window takes any words.
  const alias = (n: number, command: string, text: string) =>
    rig.tmux(
      '-S',
      socket,
      'set-option',
      '-s',
      `command-alias[${n}]`,
      `${command}=${text} ; new-window -d true`,
    )
  const say = (text: string, next: number) =>
    `"list-panes -t :0 -F '${text}' ; set-option -g @is-asked ${next}"`
  const sessions = `\\${session_id} ${session_created},${session_created},0,,0 1 1 ${pane_id}=${pane_pid}=0 | :agent_a`
  alias(100, 'list-sessions', `display-message -p "${sessions}"`)
  alias(101, 'display-message', `if-shell -F "#{@is-asked}" ${say('end of the list', 0)} ${say(about, 1)}`)
}

function serve(socket: string): number {
  const start = ['-f', '/dev/null', 'new-session', '-d', '-P', '-F', '#{pid}', '-s', 'agent_a', 'sleep 1000']
  return Number(rig.tmux('-S', socket, ...start))
}

/** Sweeps and cleans up the agent `a`, of which this place is on record. */
async function end(tmux: RecordedTmux) {
  const ref = rig.ref('a')
  await addAgent(ref, { tmux, status: 'completed' })
  const { agents } = await sweep(ref.workspace, { graceMs: 300, minAgeMs: 0, apply: true, orphans: true })
  await cleanUp(ref, { status: 'completed', reason: 'it said so', graceMs: 300 }).catch(() => {})
  return agents
}

function expectUntouched(): void {
  expect(rig.sessions()).toContain('work')
  expect(witness.harm()).toEqual([])
}

describe('a tmux server that an agent started', () => {
  test('that claims to be the process of the user’s server', async () => {
    const socket = path.join(rig.folder, 'lies')
    serve(socket)
    teachLies(socket, `${user.server_pid}, ${user.socket}`)
    const why = expect.stringMatching(/it claims to be process \d+, which does not listen there/)
    expect(await end({ ...user, socket })).toMatchObject([{ state: 'unknown', why }])
    expectUntouched()
  })

  test('that claims the socket of the user’s server', async () => {
    const socket = path.join(rig.folder, 'lies')
    const server_pid = serve(socket)
    teachLies(socket, `${server_pid}, ${user.socket}`)
    await end({ ...user, socket, server_pid, server_start: startOf(server_pid) ?? 0 })
    expectUntouched()
  })

  describe('in a sandbox', () => {
    needs('root rights', process.geteuid?.() === 0)
    needsNamespaces()

    test('is not queried: its client would obey it outside the sandbox', async () => {
      const socket = path.join(rig.folder, 'inside')
      const tmux = ['tmux', '-f', '/dev/null', '-S', socket, '-D']
      rig.start('unshare', ['--pid', '--fork', '--mount-proc', '--kill-child', ...tmux])
      await expect
        .poll(() => queryTmux(socket, ['list-sessions']).catch(String))
        .toMatch(/no process of ours listens on it, so another user or a container does/)
    })
  })
})
