import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cleanUp } from '../index.ts'
import { Rig } from './support/rig.ts'
import { until } from './support/until.ts'

const SESSION = '5e55104e-0000-4000-8000-000000000001'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

test('what a killed claude leaves goes, what is another claude’s stays', async () => {
  const home = path.join(rig.folder, 'home')
  const sessions = path.join(home, '.claude/sessions')
  const tasks = path.join(rig.folder, 'base/claude-0/slug', SESSION, 'tasks')
  const files = (pid: number) => [`${pid}.json`, `${pid}.abc.key`].map(name => path.join(sessions, name))
  const snapshots = ['a', 'b'].map(name =>
    path.join(home, `.claude/shell-snapshots/snapshot-bash-1-${name}.sh`),
  )
  const outputs = ['fg', 'bg'].map(name => path.join(tasks, `${name}.output`))
  const event = (fields: object) => `echo '${JSON.stringify(fields)}'`
  // A shell in claude's place: it says its session, starts two Bash tools in sessions of their own, and is killed.
  const claude = `
    export HOME=${home} CLAUDE_CODE_TMPDIR=${rig.folder}/base
    mkdir -p ${sessions} ${tasks} ${path.dirname(snapshots[0] ?? '')} ${rig.folder}/base/cc-socks
    touch ${snapshots.join(' ')} ${rig.folder}/base/cc-socks/$$.sock ${sessions}/$$.abc.key
    echo "{\\"pid\\":$$,\\"sessionId\\":\\"${SESSION}\\"}" > ${sessions}/$$.json
    ${event({ type: 'system', subtype: 'init', session_id: SESSION })}
    ${event({ type: 'system', subtype: 'task_started', task_id: 'bg', is_backgrounded: true })}
    for task in fg bg; do
      setsid bash -c 'source ${snapshots[0]} && eval "echo \\$\\$ >${rig.folder}/'$task'.pid; sleep 1000"' >${tasks}/$task.output 2>&1 &
    done
    echo $$ > claude.pid; echo ready; wait`
  const ref = await rig.deploy('killed', { claude })
  const pid = await rig.pid('claude')
  await rig.pid('fg')
  await rig.pid('bg')
  // A claude of the user's, alive, and one of somebody's that is dead.
  const alive = rig.start('sleep', ['1000'])
  for (const other of [alive, 4_000_000])
    for (const file of files(other))
      fs.writeFileSync(file, JSON.stringify({ pid: other, sessionId: 'other' }))

  process.kill(pid, 'SIGKILL')
  await until('the session ended with it', () => !rig.sessions().includes('agent_killed'))
  const report = await cleanUp(ref, { status: 'crashed', reason: 'killed' })
  expect(report).toMatchObject({ outcome: 'clean', notes: expect.any(Array) })
  const there = [...files(pid), `${rig.folder}/base/cc-socks/${pid}.sock`, ...snapshots, ...outputs]
  expect(there.filter(file => fs.existsSync(file))).toEqual([snapshots[1], outputs[1]])
  expect([...files(alive), ...files(4_000_000)].filter(file => !fs.existsSync(file))).toEqual([])
})
