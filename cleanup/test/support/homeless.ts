// In a pid namespace of its own: processes that carry the marker of an agent whose workspace is gone, and a sweep of another
// workspace. Prints which of them are listed, and which run before and after it, as one line of JSON.
import fs from 'node:fs'
import path from 'node:path'
import { measure, sweep } from '../../index.ts'
import { addAgent, addTask, initRegistries } from '../../orchestrator.ts'
import { leakrig } from './cli.ts'
import { isRunning, Rig } from './rig.ts'
import { until } from './until.ts'

await using rig = await Rig.start()
const marker = (folder: string) => `${folder}/.agent-workspace/T/a`
const noting = (name: string) => `echo $$ >${rig.folder}/${name}.pid; exec sleep 1000`
const gone = { LEAKRIG_AGENT: marker(`${rig.folder}/gone`) }
fs.mkdirSync(`${rig.folder}/other/.agent-workspace`, { recursive: true })
fs.mkdirSync(`${rig.folder}/private`)

rig.start('bash', ['-c', noting('homeless')], gone)
rig.start('bash', ['-c', noting('foreign')], { LEAKRIG_AGENT: marker(`${rig.folder}/other`) })
// Its workspace exists in its own mount namespace.
const hidden = `mount -t tmpfs tmpfs ${rig.folder}/private; mkdir ${rig.folder}/private/.agent-workspace; `
rig.start('unshare', ['-m', 'bash', '-c', hidden + noting('private')], {
  LEAKRIG_AGENT: marker(`${rig.folder}/private`),
})
const pids = new Map<number, string>()
for (const name of ['homeless', 'foreign', 'private']) pids.set(await rig.pid(name), name)
// An agent put its marker into the server of the user, whose panes and jobs have it since then.
rig.tmux('set-environment', '-g', 'LEAKRIG_AGENT', gone.LEAKRIG_AGENT)
rig.tmux('new-window', '-d', '-t', '=user:', noting('pane'))
rig.tmux('run-shell', '-b', '-t', '=user:', noting('job'))
for (const name of ['pane', 'job']) pids.set(await rig.pid(name), name)

// A live agent of a workspace that was moved away, and what it has put into the background.
const moved = marker(`${rig.folder}/moved`)
const log = `${rig.folder}/elsewhere/T/logs/a_stream.jsonl`
fs.mkdirSync(path.dirname(log), { recursive: true })
const daemon = `exec 3>${log}; (setsid env -u TMUX -u TMUX_PANE bash -c '${noting('daemon')}' </dev/null >/dev/null 2>&1 &)`
rig.tmux(
  'new-session',
  '-d',
  '-s',
  'agent_m',
  '-e',
  `LEAKRIG_AGENT=${moved}`,
  `${daemon}; ${noting('moved')}`,
)
// Live agents of workspaces that were removed, or moved to another disk, which deletes their logs as well.
const agents = ['removed', 'copied', 'rotated']
const logOf = (name: string) => `${rig.folder}/${name}/.agent-workspace/T/logs/a_stream.jsonl`
for (const name of agents) {
  fs.mkdirSync(path.dirname(logOf(name)), { recursive: true })
  const environment = ['-e', `LEAKRIG_AGENT=${marker(`${rig.folder}/${name}`)}`]
  const script = `${noting(name)} | tee ${logOf(name)}`
  rig.tmux('new-session', '-d', '-s', `agent_${name}`, ...environment, 'bash', '-c', script)
}
// One without a marker: only its log shows whose it is.
rig.start('bash', ['-c', `exec 3>${logOf('removed')}.1; ${noting('unmarked')}`])
for (const name of ['moved', 'daemon', 'unmarked', ...agents]) pids.set(await rig.pid(name), name)
for (const name of agents) await until(`tee writes ${name}`, () => fs.existsSync(logOf(name)))
fs.rmSync(`${rig.folder}/removed`, { recursive: true })
fs.renameSync(logOf('rotated'), `${logOf('rotated')}.1`)
fs.renameSync(`${rig.folder}/rotated`, `${rig.folder}/afar`)
fs.rmSync(`${rig.folder}/copied`, { recursive: true })
const beside = `${rig.folder}/beside/.agent-workspace`
await initRegistries(beside)
await addTask(beside, { task_id: 'T' })
await addAgent(
  { workspace: beside, taskId: 'T', agentId: 'a' },
  { status: 'running', log_file: logOf('copied') },
)

const namesOf = (all: readonly { pid: number }[] = []) => all.flatMap(({ pid }) => pids.get(pid) ?? []).sort()
const running = () => [...pids.keys()].filter(isRunning).map(pid => ({ pid }))
const options = { graceMs: 300, minAgeMs: 0, beside: [beside] }
const before = running()
const { leftovers, unlisted, problems } = await sweep(rig.workspace, options)
const measured = await measure([rig.workspace, beside])
const explained = leakrig(['explain', String(await rig.pid('removed')), rig.workspace]).out
await sweep(rig.workspace, { ...options, apply: true })
const without = running()
await sweep(rig.workspace, { ...options, apply: true, orphans: true })
const order = [
  'homeless',
  'removed',
  'foreign',
  'job',
  'pane',
  'private',
  'moved',
  'daemon',
  'copied',
  'rotated',
]
const inOrder = (all: readonly { pid: number }[]) =>
  [...order, 'unmarked'].filter(name => namesOf(all).includes(name))
console.log(
  JSON.stringify({
    problems,
    listed: namesOf(leftovers?.processes),
    measured: namesOf(measured.processes?.leftovers),
    sessions: [leftovers?.sessions, measured.sessions?.leftover].map(all => all?.map(({ name }) => name)),
    planned: namesOf([...unlisted.sessions, ...unlisted.processes].flatMap(({ plan }) => plan.end)),
    explained: explained.split('\n').filter(line => line.includes('no longer exists')),
    before: inOrder(before),
    without: inOrder(without),
    after: inOrder(running()),
  }),
)
