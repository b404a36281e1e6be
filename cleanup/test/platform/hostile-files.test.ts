import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { addAgent, addTask, initRegistries, layout } from '../../orchestrator.ts'
import { commandWords, RunningCommand } from '../support/run-command.ts'
import { until } from '../support/until.ts'

/** A workspace of no agent that runs; everything in it can be replaced by what an agent might put there. */
const TASK = 'TASK-1'
/** What cannot be parsed is quoted by engines from its beginning, and cut short. */
const SECRET = 'PRIVATE KEY, not to be shown to anybody'
const QUOTED = 'PRIVATE'
/** How long all of it may take, in ms, on a machine that does a lot beside: without a bound it would be for ever. */
const WITHIN_MS = 240_000

let folder: string
let remove: () => Promise<void>
let secret: string

beforeEach(async () => {
  const made = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  folder = fs.realpathSync(made.path)
  remove = made.cleanup
  secret = path.join(folder, 'secret')
  fs.writeFileSync(secret, SECRET, { mode: 0o600 })
})
afterEach(() => remove())

const own = { taskId: TASK, agentId: 'a' }

/** Every file and folder of a workspace that something of ours opens, replaces or removes. */
const PLACES: Record<string, (workspace: string) => string> = {
  'the task’s registry': workspace => layout.taskRegistry(workspace, TASK),
  'the global registry': workspace => layout.globalRegistry(workspace),
  'the draft of a registry': workspace => `${layout.taskRegistry(workspace, TASK)}.next`,
  'the lock of a registry': workspace => `${layout.taskRegistry(workspace, TASK)}.lock`,
  'the lock of the global registry': workspace => `${layout.globalRegistry(workspace)}.lock`,
  'the daemon’s lock': workspace => layout.daemonLock(workspace),
  'the health file': workspace => path.join(workspace, 'registry', 'health.json'),
  'the hold': workspace => path.join(workspace, 'registry', 'retention-hold.json'),
  'the policy of an earlier version': workspace => path.join(workspace, 'registry', 'retention.json'),
  'a prompt': workspace => layout.promptFile({ workspace, ...own }),
  'the note of adopted children': workspace => layout.adoptedChildrenFile({ workspace, ...own }),
  'a stream log': workspace => layout.streamLog({ workspace, ...own }),
  'a progress log': workspace => layout.progressFile({ workspace, ...own }),
  'a deploy log': workspace => layout.deployLog({ workspace, ...own }),
  'an archived log': workspace => path.join(layout.archiveFolder({ workspace, ...own }), 'b_stream.jsonl'),
  'the folder of a task': workspace => path.join(workspace, TASK),
  'the folder of logs': workspace => path.dirname(layout.streamLog({ workspace, ...own })),
  'the folder of progress logs': workspace => path.dirname(layout.progressFile({ workspace, ...own })),
  'the folder of archived logs': workspace => layout.archiveFolder({ workspace, ...own }),
  'the folder of registries': workspace => path.dirname(layout.globalRegistry(workspace)),
}

const KINDS: Record<string, (file: string) => void> = {
  'a FIFO': file => void spawnSync('mkfifo', [file]),
  'a link to itself': file => fs.symlinkSync(path.basename(file), file),
  'a link to a private file': file => fs.symlinkSync(secret, file),
  'a link to an endless device': file => fs.symlinkSync('/dev/zero', file),
  'a private file by another name': file => fs.linkSync(secret, file),
  'a folder': file => fs.mkdirSync(file),
  'a file without end': file => {
    fs.writeFileSync(file, '{')
    fs.truncateSync(file, 2 ** 40)
  },
  'JSON without a bottom': file => fs.writeFileSync(file, '{"agents":'.repeat(100_000)),
  'a registry with a field without a bottom': file => {
    const agents = ['a', 'b'].map(
      id => `{"id":"${id}","status":"completed","x":${'['.repeat(4_000)}${']'.repeat(4_000)}}`,
    )
    fs.writeFileSync(file, `{"task_id":"${TASK}","agents":[${agents.join()}],"tasks":{}}`)
  },
}

async function makeWorkspace(name: string): Promise<string> {
  const workspace = path.join(folder, name)
  await initRegistries(workspace)
  await addTask(workspace, { task_id: TASK })
  const since = { started_at: '2026-01-01T00:00:00Z' }
  await addAgent({ workspace, ...own }, { status: 'completed', ...since })
  await addAgent({ workspace, taskId: TASK, agentId: 'b' }, { status: 'running', ...since })
  fs.writeFileSync(layout.promptFile({ workspace, ...own }), 'a prompt\n')
  fs.writeFileSync(layout.streamLog({ workspace, ...own }), '{"type":"result"}\n')
  return workspace
}

const everywhere = Object.values(PLACES)

describe.each(Object.entries(KINDS))('%s', (kind, put) => {
  // Other places for each kind, so that every place comes.
  const n = Object.keys(KINDS).indexOf(kind) % 5
  const some = everywhere.filter((_, place) => place % 5 === n)

  for (const { location, places, tags } of [
    { location: 'in some places', places: some, tags: [] },
    { location: 'wherever it lies', places: everywhere, tags: ['long'] },
  ])
    test(
      `blocks nothing and is neither shown nor followed, ${location}`,
      { tags, timeout: 2 * WITHIN_MS },
      () => isHarmless(put, places),
    )
})

async function isHarmless(put: (file: string) => void, places: typeof everywhere): Promise<void> {
  const workspaces: string[] = []
  for (const [n, place] of places.entries()) {
    const workspace = await makeWorkspace(`w${n}`)
    const file = place(workspace)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.rmSync(file, { recursive: true, force: true })
    put(file)
    workspaces.push(workspace)
  }
  const program = testProgram('run-everything')
  const environment = { TMUX_TMPDIR: folder, HOME: folder }
  const running = new RunningCommand([process.execPath, program, ...workspaces], environment)
  const deadline = setTimeout(() => running.child.kill('SIGKILL'), WITHIN_MS)
  const { code, out, err } = await running.end()
  clearTimeout(deadline)
  // What it had come to when it was stopped, where it was.
  expect([code, out.trimEnd().split('\n').at(-1)?.slice(0, 80), err]).toMatchObject([0, /^\{/, ''].map(asAny))
  expect(out.match(/^begins /gm)).toHaveLength(workspaces.length)
  expect(out + err).not.toContain(QUOTED)
  expect(fs.readFileSync(secret, 'utf8')).toBe(SECRET)
  expect(fs.statSync(secret).nlink).toBeGreaterThan(0)
}

const asAny = (wanted: unknown) => (wanted instanceof RegExp ? expect.stringMatching(wanted) : wanted)

/** What no read and no open comes back from. */
const HOLDING_UP = [
  'a FIFO',
  'a link to an endless device',
  'a file without end',
  'a registry with a field without a bottom',
]

for (const [n, kind] of HOLDING_UP.entries())
  test(`the daemon stops on request, with ${kind} in place of each registry`, {
    tags: n === 0 ? [] : ['long'],
    timeout: 2 * WITHIN_MS,
  }, async () => {
    const workspace = await makeWorkspace('w')
    for (const file of [layout.taskRegistry(workspace, TASK), layout.globalRegistry(workspace)]) {
      fs.rmSync(file)
      KINDS[kind]?.(file)
    }
    const running = new RunningCommand(commandWords('daemon', workspace), {
      TMUX_TMPDIR: folder,
      HOME: folder,
    })
    try {
      await until('it watches', () => running.out.includes('"started"'), WITHIN_MS)
      await until('it has reported the problem', () => running.out.includes('"problem"'), WITHIN_MS)
    } finally {
      running.child.kill('SIGTERM')
    }
    expect(await running.end()).toMatchObject({ code: 0, err: '' })
    expect(running.out).not.toContain(QUOTED)
    expect(fs.readFileSync(secret, 'utf8')).toBe(SECRET)
  })
