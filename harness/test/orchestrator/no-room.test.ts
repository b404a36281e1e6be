import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Workspace } from '../support/workspace.ts'

let place: Workspace
beforeEach(() => {
  place = new Workspace({ 'TASK-1': { unwritten: 'nobody' } })
})
afterEach(() => place[Symbol.asyncDispose]())

// Other tests run sessions agent_a on this machine, and of this agent only the name is recorded.
const agent = { task_id: 'TASK-1', agent_id: 'unwritten' }

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
    const { said, error } = await one.call(tool, args)
    expect(error).toBe('')
    expect(said).toMatchObject({
      success: true,
      cleanup: { outcome: 'unfinished', problems: [expect.stringMatching(/could not be recorded .*EFBIG/)] },
    })
    expect(place.read('TASK-1/archive/unwritten_stream.jsonl')).toBe('log of unwritten\n')
    expect(place.entry('TASK-1/unwritten')).toMatchObject({ status: 'working' })
  },
)
