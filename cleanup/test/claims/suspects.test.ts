import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { claim } from '../../claims/claim.ts'
import { observe } from '../../claims/observe.ts'
import { findSuspects } from '../../claims/suspects.ts'
import { type AgentRef, type CleanUpReport, cleanUp } from '../../index.ts'
import { addAgent, agentMarker, layout } from '../../orchestrator.ts'
import { childrenOf } from '../../platform/processes/children.ts'
import { type ProcessTable, readProcess } from '../../platform/processes/table.ts'
import { readTaskRegistry } from '../../registry/registry.ts'
import { Daemon } from '../support/daemon.ts'
import { type Deployment, isRunning, kill, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }
const idle = 'sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  // Set where the tests are started in tmux. Then nothing tells a pane of an agent's from where its server was started.
  delete process.env.TERM_PROGRAM
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** A command that notes its pid and stays, for a shell. It has lost its parent, its terminal and its session. */
const lost = (prefix: string, name = 'lost') =>
  `(cd /; setsid ${prefix} /bin/bash -c 'echo $$ >${rig.folder}/${name}.pid; exec sleep 1000' </dev/null >/dev/null 2>&1 &)`

const SDK = 'HOME=/root LOGNAME=root PATH=/usr/bin:/bin SHELL=/bin/bash TERM=screen-256color USER=root'

/** For env(1): removes what ties a process to its agent. */
const UNMARKED = '-u LEAKRIG_AGENT -u TMUX -u TMUX_PANE'

/** Deploys an agent that runs this, and returns once that has written `lost.pid`. */
async function deployWith(
  script: string,
  socket?: string,
  deployment: Partial<Deployment> = {},
): Promise<{ ref: AgentRef; pid: number }> {
  const wait = `until [ -s ${rig.folder}/lost.pid ]; do sleep 0.01; done`
  const ref = await rig.deploy('a', {
    claude: `${script}\n${wait}; echo ready; ${idle}`,
    ...(socket !== undefined && { socket }),
    ...deployment,
  })
  return { ref, pid: await rig.pid('lost') }
}

/** Other tests run on the same machine, and leave processes too. */
const named = ({ suspects }: CleanUpReport, pid: number) => suspects.find(one => one.pid === pid)

const isRoot = process.geteuid?.() === 0

describe('a process that nothing ties to the agent is named, and left alone:', () => {
  test.each([
    ['no environment', 'env -i', /was emptied$/],
    ['only PATH', 'env -i PATH=/usr/bin:/bin', /holds no more than PATH$/],
    ['PATH, HOME, LANG', 'env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8', /HOME, LANG, PATH$/],
    ['the environment of the MCP SDK', `env -i ${SDK}`, /HOME, LOGNAME, PATH, SHELL, TERM, USER$/],
    ['a variable of its own', 'env -i PORT=3000', /holds no more than PORT$/],
    ['the agent’s PATH, a terminal’s type', 'env -i PATH="$PATH" TERM=xterm-256color', /PATH, TERM$/],
    [
      'some of its own',
      'env -i NODE_ENV=production FOO=bar CI=1 SUDO_USER=me',
      /CI, FOO, NODE_ENV, SUDO_USER$/,
    ],
    ['a display of its own', 'env -i PATH="$PATH" DISPLAY=:99 XDG_RUNTIME_DIR=/tmp/x', /DISPLAY, PATH, XDG_/],
    ['all but its marks', `env ${UNMARKED}`, /started in a tmux pane .* TMUX was removed$/],
    ['an empty TMUX', `env ${UNMARKED} TMUX=`, /started in a tmux pane/],
    ['all but its marks and CLAUDECODE', `env ${UNMARKED} CLAUDE_CODE_SESSION_ID=1`, /a claude started it/],
    ['what claude sets', 'env -i PATH=/usr/bin:/bin CLAUDECODE=1 FOO=1', /a claude started it/],
    ['the same, twice below a shell', 'env -i /bin/sh -c \'"$@" & sleep 0\' sh', /was emptied$/],
    ['stopped', 'env -i', /was emptied$/],
  ])('%s', async (name, prefix, why) => {
    const { ref, pid } = await deployWith(lost(prefix))
    if (name === 'stopped') kill(pid, 'SIGSTOP')
    const report = await cleanUp(ref, completed)
    expect(report.outcome).toBe('clean')
    expect(named(report, pid)?.resemblances).toEqual([
      'an orphan that started after the agent',
      expect.stringMatching(why),
    ])
    expect(isRunning(pid)).toBe(true)
  })

  test('one whose environment names another place, and that holds the pipe into the log', async () => {
    const elsewhere = 'env -i PATH=/usr/bin:/bin SSH_CONNECTION=1 SSH_TTY=/dev/pts/0 USER=root'
    const script = lost(elsewhere).replace(' >/dev/null', '')
    const { ref, pid } = await deployWith(script)
    const report = await cleanUp(ref, completed)
    expect(named(report, pid)?.resemblances).toEqual([expect.stringMatching(/writes into the pipe/)])
    expect(isRunning(pid)).toBe(true)
  })

  test('all but its marks, on a tmux server that ends with the agent', async () => {
    const { ref, pid } = await deployWith(lost(`env ${UNMARKED}`), path.join(rig.folder, 'own'))
    const server = rig.entry(ref).tmux?.server_pid ?? 0
    const report = await cleanUp(ref, completed)
    await until('the server has ended', () => !isRunning(server))
    expect(named(report, pid)?.resemblances).toContainEqual(expect.stringMatching(/TMUX was removed$/))
  })

  test('of an agent whose entry tells neither a place nor a start', async () => {
    const { ref, pid } = await deployWith(lost('env -i PORT=3000'), undefined, {
      recorded: false,
      entry: { started_at: '' },
      // The log begins later than the process, as on a busy machine.
      writer: `(until [ -s ${rig.folder}/lost.pid ]; do sleep 0.1; done; exec tee ${layout.streamLog(rig.ref('a'))})`,
    })
    expect(named(await cleanUp(ref, completed), pid)).toBeDefined()
  })

  test.each([
    ['without an environment', 'env -i', /was emptied/],
    ['with all its marks', '', /LEAKRIG_AGENT=\S+, in a pid namespace of its own/],
  ])('one in a pid namespace of its own, whose maker has ended, %s', async (_, prefix, why) => {
    needs('right to make a pid namespace', spawnSync('unshare', ['-pf', 'true']).status === 0)
    const start = `setsid ${prefix} unshare -pf sleep 1000 </dev/null >/dev/null 2>&1`
    const ref = await rig.deploy('a', {
      claude: `(cd /; ${start} & echo $! >${rig.folder}/maker.pid); echo ready; ${idle}`,
    })
    const maker = await rig.pid('maker')
    const inside = await until('it runs', () => childrenOf(maker)?.[0])
    fs.writeFileSync(`${rig.folder}/lost.pid`, String(inside))
    const pid = await rig.pid('lost')
    await until('it is a sleep', () => readProcess(pid)?.comm === 'sleep')
    kill(maker)
    await until('it is an orphan', () => readProcess(pid)?.ppid === 1)
    expect(named(await cleanUp(ref, completed), pid)?.resemblances.join()).toMatch(why)
    expect(isRunning(pid)).toBe(true)
  })

  test('in the daemon’s log and the registry, of an agent that has crashed', async () => {
    const daemon = await Daemon.start(rig)
    const { ref, pid } = await deployWith(lost('env -i PATH="$PATH" PORT=3000'))
    rig.tmux('kill-session', '-t', '=agent_a:')
    await until('it is cleaned up', () => daemon.events('cleaned').length > 0)
    const [cleaned] = daemon.events('cleaned')
    expect(cleaned?.suspects).toContainEqual(expect.stringContaining(`process ${pid} `))
    await until('it is recorded', () => rig.entry(ref).cleanup?.state === 'done')
    expect(rig.entry(ref).cleanup?.suspects?.map(one => one.pid)).toContain(pid)
    await daemon.stop()
  })

  test('one that has overwritten its environment', async () => {
    const script = `open F, ">", "${rig.folder}/lost.tmp"; print F $$; close F; $0 = "worker " x 2000; rename "${rig.folder}/lost.tmp", "${rig.folder}/lost.pid"; sleep 1000`
    const { ref, pid } = await deployWith(`(cd /; setsid perl -e '${script}' </dev/null >/dev/null 2>&1 &)`)
    expect(named(await cleanUp(ref, completed), pid)?.resemblances).toContain(
      'its environment was overwritten',
    )
  })

  test('one with a terminal of its own, and what runs in it', async () => {
    const inner = `echo $$ >${rig.folder}/lost.pid; exec sleep 1000`
    fs.writeFileSync(`${rig.folder}/inner.sh`, inner)
    const { ref, pid } = await deployWith(
      `(cd /; setsid env -i script -qc 'exec bash ${rig.folder}/inner.sh' /dev/null </dev/null >/dev/null 2>&1 &)`,
    )
    const report = await cleanUp(ref, completed)
    const [parent, child] = [readProcess(pid)?.ppid ?? 0, pid]
    expect(named(report, parent)).toMatchObject({ comm: 'script' })
    expect(named(report, child)?.resemblances).toEqual([`a child of script ${parent}, which is a suspect`])
    kill(parent)
  })

  test.each([
    ['without an environment', 'env -i', /was emptied/],
    ['with the agent’s marker', '', /LEAKRIG_AGENT=/],
  ])('one that changed its user, %s', async (_, prefix, why) => {
    needs('root rights', isRoot)
    fs.chmodSync(rig.folder, 0o755)
    fs.writeFileSync(`${rig.folder}/lost.pid`, '')
    fs.chmodSync(`${rig.folder}/lost.pid`, 0o666)
    const { ref, pid } = await deployWith(lost(`${prefix} setpriv --reuid=54321 --clear-groups`))
    const suspect = named(await cleanUp(ref, completed), pid)
    expect(suspect?.resemblances.join()).toMatch(why)
    expect(suspect?.resemblances.join()).toMatch(/it runs as user 54321/)
  })
})

test('what an ordinary user cannot look into is named by every command: a process that must not be traced, a set-uid program', () => {
  const program = path.join(import.meta.dirname, '../support/unreadable.ts')
  const asUser = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', process.execPath]
  const [command = '', ...words] = isRoot ? asUser : [process.execPath]
  const { stdout, stderr } = spawnSync(command, [...words, program], { encoding: 'utf8', cwd: '/' })
  expect(stderr).toBe('')
  const { pids, report, row, measured, swept } = JSON.parse(stdout)
  expect(report.outcome).toBe('clean')
  expect(row).toMatchObject({ state: 'done' })
  for (const pid of Object.values(pids))
    for (const suspects of [report.suspects, measured, swept])
      expect(suspects).toContainEqual(
        expect.objectContaining({
          pid,
          command: expect.stringMatching(/^(perl|su)/),
          ageMs: expect.any(Number),
          resemblances: expect.arrayContaining(['its environment cannot be read']),
        }),
      )
})

describe('a process of somebody else’s is no suspect:', () => {
  test.each([
    ['started by nohup, with a whole environment', 'nohup'],
    ['by cron', 'env -i HOME=/root LOGNAME=root PATH=/usr/bin:/bin SHELL=/bin/sh LANG=C'],
    ['by a crontab with variables', 'env -i HOME=/h LOGNAME=me PATH=/bin SHELL=/bin/bash FOO=1'],
    ['from a terminal', 'env -i HOME=/root PATH=/usr/bin:/bin TERM=xterm-256color WINDOWID=77'],
    ['with a whole environment, and variables of the user’s', 'env PORT=3000 FOO=bar'],
    ['by a claude of the user’s that lives', 'env CLAUDECODE=1 CLAUDE_CODE_SESSION_ID=1 CLAUDE_PID=$$'],
    ['from an SSH login', `env -i ${SDK} SSH_CONNECTION=1`],
    [
      'a service of the user’s systemd',
      `env -i ${SDK} INVOCATION_ID=1 JOURNAL_STREAM=8:1 XDG_RUNTIME_DIR=/run`,
    ],
    ['another agent’s', 'env -i LEAKRIG_AGENT=/tmp/T/b'],
    ['from another pane', 'env -i TMUX=/s,1,0 TMUX_PANE=%1'],
  ])('%s', async (_, prefix) => {
    const ref = await rig.deploy('a', { claude: `echo ready; ${idle}` })
    rig.start('bash', ['-c', `${lost(prefix)}; sleep 1000; :`])
    const pid = await rig.pid('lost')
    await until('it is an orphan', () => readProcess(pid)?.ppid === 1)
    expect(named(await cleanUp(ref, completed), pid)).toBeUndefined()
    expect(isRunning(pid)).toBe(true)
  })

  test('the ssh-agent of a login', async () => {
    const ref = await rig.deploy('a', { claude: `echo ready; ${idle}` })
    rig.start('bash', [
      '-c',
      `ssh-agent -a ${rig.folder}/ssh.sock | sed -n 's/.*pid \\([0-9]*\\);/\\1/p' >${rig.folder}/lost.pid`,
    ])
    const pid = await rig.pid('lost')
    expect(named(await cleanUp(ref, completed), pid)).toBeUndefined()
    expect(isRunning(pid)).toBe(true)
  })

  test('older than the agent', async () => {
    rig.start('bash', ['-c', lost('env -i')])
    const pid = await rig.pid('lost')
    const ref = await rig.deploy('a', { claude: `echo ready; ${idle}` })
    expect(named(await cleanUp(ref, completed), pid)).toBeUndefined()
    expect(isRunning(pid)).toBe(true)
  })

  test('in the session of a shell that lives', async () => {
    const ref = await rig.deploy('a', { claude: `echo ready; ${idle}` })
    const orphan = `(cd /; env -i bash -c 'echo $$ >${rig.folder}/lost.pid; exec sleep 1000' &)`
    rig.start('bash', ['-c', `${orphan}; sleep 1000; :`])
    const pid = await rig.pid('lost')
    expect(named(await cleanUp(ref, completed), pid)).toBeUndefined()
  })

  test('the child of a program that lives', async () => {
    const ref = await rig.deploy('a', { claude: `echo ready; ${idle}` })
    rig.start('bash', ['-c', `env -i bash -c 'echo $$ >${rig.folder}/lost.pid; exec sleep 1000'; :`])
    const pid = await rig.pid('lost')
    expect(named(await cleanUp(ref, completed), pid)).toBeUndefined()
  })
})

describe('started by the tmux server for an agent', () => {
  test.each([
    ['run-shell', `tmux run-shell -b 'trap "" HUP TERM; echo $$ >FOLDER/lost.pid; sleep 1000; :'`],
    ['a delayed run-shell', `tmux run-shell -b -d 0.1 'echo $$ >FOLDER/lost.pid; exec sleep 1000'`],
    ['if-shell', `tmux if-shell -b 'echo $$ >FOLDER/lost.pid; exec sleep 1000' ''`],
    ['pipe-pane', `tmux pipe-pane 'trap "" HUP; echo $$ >FOLDER/lost.pid; exec sleep 1000'`],
    [
      'a hook',
      `tmux set-hook -t agent_a window-renamed 'run-shell -b "echo \\$\\$ >FOLDER/lost.pid; exec sleep 1000"'; tmux rename-window -t agent_a x`,
    ],
    [
      'run-shell, as a daemon',
      `tmux run-shell -b '(setsid bash -c "echo \\$\\$ >FOLDER/lost.pid; exec sleep 1000" &)'`,
    ],
    [
      'run-shell, without an environment',
      `tmux run-shell -b 'exec env -i bash -c "echo \\$\\$ >FOLDER/lost.pid; exec sleep 1000"'`,
    ],
  ])('%s', async (_, command) => {
    const { ref, pid } = await deployWith(command.replaceAll('FOLDER', rig.folder))
    expect(named(await cleanUp(ref, completed), pid)).toBeDefined()
  })

  test.each([
    ['run-shell', ['run-shell', '-b', '-t', '=user:', 'echo $$ >FOLDER/lost.pid; exec sleep 1000']],
    ['new-window', ['new-window', '-d', '-t', '=user:', 'echo $$ >FOLDER/lost.pid; exec sleep 1000']],
  ])('%s of the user’s is no suspect', async (_, words) => {
    const ref = await rig.deploy('a', { claude: `echo ready; ${idle}` })
    rig.tmux(...words.map(word => word.replaceAll('FOLDER', rig.folder)))
    const pid = await rig.pid('lost')
    expect(named(await cleanUp(ref, completed), pid)).toBeUndefined()
    expect(isRunning(pid)).toBe(true)
  })

  test('the user’s job, with the marker that an agent has put into the server: it is named and lives', async () => {
    const ref = await rig.deploy('a', { claude: `echo ready; ${idle}` })
    rig.tmux('set-environment', '-g', 'LEAKRIG_AGENT', agentMarker(ref))
    rig.tmux('run-shell', '-b', '-t', '=user:', `echo $$ >${rig.folder}/lost.pid; exec sleep 1000`)
    const pid = await rig.pid('lost')
    expect(named(await cleanUp(ref, completed), pid)).toBeDefined()
    expect(isRunning(pid)).toBe(true)
  })
})

describe('of an agent whose session only its name records, and was renamed, all is named that began in that session:', () => {
  const noting = (name: string) => `'echo $$ >${rig.folder}/${name}.pid; exec sleep 1000'`
  const deploy = async (script: string, session = ['new-session', '-d', '-s', 'agent_a']) => {
    const ref = rig.ref('a')
    rig.tmux(...session, rig.pipeline(ref, { claude: `${script}; echo ready; ${idle}` }))
    await addAgent(ref, { status: 'running', tmux_session: 'agent_a', started_at: new Date().toISOString() })
    await until('it writes', () => readText(layout.streamLog(ref)).includes('ready'))
    return ref
  }

  test('a second pane, a nested tmux server, and what runs on that', async () => {
    const ref = await deploy(
      `tmux split-window -d ${noting('second')}; tmux -L nested -f /dev/null new-session -d ${noting('nested')}`,
    )
    const [second, nested] = [await rig.pid('second'), await rig.pid('nested')]
    rig.tmux('rename-session', '-t', '=agent_a:', 'looking at this')
    const report = await cleanUp(ref, completed)
    expect(report.outcome).toBe('unfinished')
    const birth = expect.stringMatching(/^it was started in the session in which the agent’s log was written/)
    expect(named(report, second)?.resemblances).toContainEqual(birth)
    const server = readProcess(nested)?.ppid ?? 0
    expect(named(report, server)).toMatchObject({ comm: 'tmux: server', resemblances: [birth] })
    expect(named(report, nested)?.resemblances.join()).toContain(`nobody has looked at it since; "tmux -S`)
    expect([second, nested].every(isRunning)).toBe(true)
  })

  test('but nothing in a session in which something is older than the agent', async () => {
    rig.tmux('new-window', '-d', '-t', '=user:', noting('users').slice(1, -1))
    const users = await rig.pid('users')
    const ref = await deploy(`tmux split-window -d ${noting('second')}`, ['new-window', '-d', '-t', '=user:'])
    await rig.pid('second')
    const observation = await observe(ref, readTaskRegistry(ref.workspace, ref.taskId))
    const suspectsIn = (table: ProcessTable) => {
      const now = { ...observation, table, unseenPanes: [] }
      return findSuspects(now, claim(now)).map(({ pid }) => pid)
    }
    expect(suspectsIn(observation.table)).toContain(users)
    const older = new Map(observation.table)
    for (const [pid, one] of older) if (pid === users) older.set(pid, { ...one, start: 1 })
    expect(suspectsIn(older)).not.toContain(users)
    expect(suspectsIn(older)).not.toContain(await rig.pid('second'))
  })
})
