// In a pid namespace of its own: processes that carry the marker of an agent whose workspace is gone, and a sweep of another
// workspace. Prints which of them are listed, and which run before and after it, as one line of JSON.
import fs from 'node:fs'
import path from 'node:path'
import { measure, sweep } from '../../index.ts'
import { isRunning, Rig } from './rig.ts'

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
for (const name of ['moved', 'daemon']) pids.set(await rig.pid(name), name)

const namesOf = (all: readonly { pid: number }[] = []) => all.flatMap(({ pid }) => pids.get(pid) ?? []).sort()
const running = () => [...pids.keys()].filter(isRunning).map(pid => ({ pid }))
const options = { graceMs: 300, minAgeMs: 0 }
const before = running()
const { leftovers, unlisted, problems } = await sweep(rig.workspace, options)
const measured = await measure([rig.workspace])
await sweep(rig.workspace, { ...options, apply: true })
const without = running()
await sweep(rig.workspace, { ...options, apply: true, orphans: true })
const inOrder = (all: readonly { pid: number }[]) =>
  ['homeless', 'foreign', 'job', 'pane', 'private', 'moved', 'daemon'].filter(name =>
    namesOf(all).includes(name),
  )
console.log(
  JSON.stringify({
    problems,
    listed: namesOf(leftovers?.processes),
    measured: namesOf(measured.processes?.leftovers),
    planned: namesOf(unlisted.processes.flatMap(({ plan }) => plan.end)),
    before: inOrder(before),
    without: inOrder(without),
    after: inOrder(running()),
  }),
)
