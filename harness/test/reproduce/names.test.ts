import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { programFile } from '../../../bin/programs.ts'
import { listText, reproducible, scenarios } from '../../cli/reproduce/reproducible.ts'
import { shapes } from '../../cli/reproduce/shapes.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

test('the list has a line for everything', () => {
  expect(listText()).toMatchInlineSnapshot(`
    "the report:
      report               the evidence of the report: 4 sessions, 54 claude processes, 78 prompts, 38 stream logs (minutes)
    scenarios:
      normal-completion    an agent reports that it has completed, and stays
      completion-and-exit  an agent reports that it has completed, and exits by itself
      manual-kill          an agent is killed in the middle of its work
      crash-claude         one claude dies in the middle of a line, another gets kill -9
      crash-pane           the process of a pane gets kill -9, and another session is ended
      crash-server         the tmux server gets kill -9
      ten-agents           ten agents complete, seven of them at once, beside what is not theirs
    leak shapes, also joined with + (own-session+stopped):
      own-session          a child in a session of its own: no SIGHUP of the terminal reaches it
      daemon               a child that forked twice: neither its parent nor its session leads to the agent
      bare-daemon          a daemon with an empty environment, which bears no trace of its agent
      path-daemon          a daemon that kept nothing but PATH
      subreaper            a child that was orphaned below a subreaper instead of process 1
      live-parent          a child below a daemon that lives on, so that its parent is not process 1
      job-control          a child in a process group of its own (set -m)
      hup-ignored          a child that ignores SIGHUP, as after nohup
      term-ignored         a child that ignores SIGTERM
      stopped              a stopped child: a SIGTERM waits until it goes on, and only SIGKILL ends it
      busy                 a child that ignores a broken pipe and spins
      zombies              dead children that their parent does not collect
      descriptors          a child that opens more and more files, some of them deleted
      renamed              a child with a misleading name and command line
      mcp-launcher         an MCP server behind a launcher, which ignores the end of its input
      nested-server        a tmux server that the agent started
      temp-files           files in /tmp, and folders of a team that block its name
      respawn              a supervisor that starts its worker again
      fork-storm           a process that forks a successor and exits, hundreds of times a second
      pty                  terminals that are held open
      tmux-job             a job of the tmux server (run-shell -b), outside of every pane
      tmux-guest           a session and a job on the tmux server, without a trace of the agent
      background-session   a background service of claude (--bg), with its sessions
    and every cell of the catalogue by its name, such as 'own-session × crashed'"
  `)
})

test('the scenarios are those of `leakrig scenarios --list`', () => {
  const listed = execFileSync(process.execPath, [program, 'scenarios', '--list'], { encoding: 'utf8' })
  const names = (listed.match(/^ {2}.*/gm) ?? []).map(line => line.trim())
  expect(Object.values(scenarios).map(({ test }) => test)).toEqual(names)
})

test('the shapes are those of the fake claude', () => {
  const refused = () =>
    execFileSync(
      process.execPath,
      [programFile('fake-claude/main'), '--print', '[[fake-claude persona=works shape=nosuch]]'],
      { encoding: 'utf8', stdio: 'pipe' },
    )
  const [, list = ''] = /names joined with \+, of (.*)\.\n/.exec(String(errorOf(refused).stderr)) ?? []
  expect(Object.keys(shapes)).toEqual(list.split(', '))
})

test.for([
  ['own-sesion', 'Nothing is called "own-sesion". Did you mean own-session?'],
  ['reprot', 'Nothing is called "reprot". Did you mean report?'],
  ['own-session+stoped', 'Nothing is called "own-session+stoped". Did you mean own-session+stopped?'],
  ['lunch', 'Nothing is called "lunch".'],
  ['toString', 'Nothing is called "toString".'],
  ['\u001b[2J', 'Nothing is called "\\u001b[2J".'],
])('%j is refused in a sentence', ([name = '', sentence]) => {
  expect(() => reproducible(name)).toThrow(
    `${sentence} "npm run leakrig -- reproduce --list" lists what can be reproduced.`,
  )
})

test('an agent with a shape ends in a way that the shape outlives, or as it was asked for', () => {
  const endings = ['stopped', 'own-session+stopped', 'busy', 'busy+pty'].map(
    name => reproducible(name).ending,
  )
  expect(endings).toEqual(['crashed', 'killed', 'completes from inside', 'killed'])
  expect(reproducible('stopped', 'completes')).toMatchObject({
    ending: 'completes from inside',
    what: expect.stringMatching(/; the agent completes$/),
  })
  expect(() => reproducible('crash-pane', 'killed')).toThrow(
    '--ending killed is refused: "crash-pane" has its own ending; leave the option out.',
  )
})

function errorOf(act: () => unknown): { stderr?: unknown } {
  try {
    act()
  } catch (error) {
    return error as { stderr?: unknown }
  }
  throw new Error('expected an error')
}
