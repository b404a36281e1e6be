import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Workspace } from '../support/workspace.ts'

let place: Workspace
beforeEach(() => {
  place = new Workspace({ 'TASK-1': { a: 'nobody' } })
})
afterEach(() => place[Symbol.asyncDispose]())

const agent = { task_id: 'TASK-1', agent_id: 'a' }

test.each([
  ['immediate', 'kill_real_agent', { ...agent, reason: 'enough' }],
  ['immediate', 'update_agent_progress', { ...agent, status: 'completed', message: 'done', progress: 100 }],
  ['daemon', 'kill_real_agent', { ...agent, reason: 'enough' }],
])(
  '%s: an orchestrator that cannot write ends an agent all the same, by %s',
  async (strategy, tool, args) => {
    const hook = join(place.folder, 'hook.mjs')
    writeFileSync(
      hook,
      `import { execFileSync } from 'node:child_process'
    if (/orchestrator/.test(process.argv[1] ?? '')) execFileSync('prlimit', ['--pid', process.pid, '--fsize=0'])`,
    )
    const one = await place.instance(strategy, undefined, { NODE_OPTIONS: `--import ${hook}` })
    const { said } = await one.call(tool, args)
    expect(said).toMatchObject({
      success: true,
      cleanup: { outcome: 'unfinished', problems: [expect.stringMatching(/could not be recorded .*EFBIG/)] },
    })
    expect(place.read('TASK-1/archive/a_stream.jsonl')).toBe('log of a\n')
    expect(place.entry('TASK-1/a')).toMatchObject({ status: 'working' })
  },
)
