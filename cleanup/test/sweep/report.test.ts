import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { layout, readTaskRegistry } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { createReportWorkspace, filesBelow, LIVE, LOGS, PROMPTS, TASKS } from '../support/report-workspace.ts'
import { Rig } from '../support/rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const ended = PROMPTS - LIVE.length

test('on the machine that the report found, with fields missing, it removes all that was left and nothing that lives', async () => {
  const agents = createReportWorkspace(rig, (entry, n) => {
    const left: Record<string, unknown> = entry
    if (n % 5 === 0) delete left.started_at
    if (n % 7 === 1) delete left.tmux_session
    if (n === 3 || n === 5) delete left.status
    if (n % 3 === 0) entry.prompt_file = `.agent-workspace/TASK-old-0/agent_prompt_${entry.id}.txt`
  })
  const below = (pattern: RegExp) => filesBelow(rig.workspace, pattern)
  fs.writeFileSync(layout.globalRegistry(rig.workspace), '{"their_setting": 7}')
  const before = below(/./)
  const sweep = (...args: string[]) =>
    leakrig(['sweep', rig.workspace, '--grace', '1s', '--min-age', '0s', ...args])

  const dry = sweep()
  expect(dry).toMatchObject({ code: 0, err: '' })
  expect(dry.out).toContain(
    `: ${TASKS + 1} tasks, ${ended} agents to clean up, ${LIVE.length} live, 0 unlisted\n`,
  )
  const [, planned] = /\nnothing was done; --apply would carry out (\d+) actions: .*\n$/.exec(dry.out) ?? []
  expect(below(/./)).toEqual(before)

  const applied = sweep('--apply')
  expect(applied).toMatchObject({ code: 0, err: '' })
  expect(applied.out).toContain(`\n${planned} actions done\n`)
  expect(below(/agent_prompt_/)).toHaveLength(LIVE.length)
  expect(below(/archive\/.*_stream\.jsonl$/)).toHaveLength(LOGS - LIVE.length)
  expect(rig.sessions().sort()).toEqual([...LIVE.map(id => `agent_${id}`), 'user'])
  const entries = [...new Set(agents.map(({ ref }) => ref.taskId))].flatMap(
    taskId => readTaskRegistry(rig.workspace, taskId).agents,
  )
  expect(entries.filter(({ cleanup }) => cleanup?.state === 'done')).toHaveLength(ended)
  expect(entries.find(({ id }) => id === 'worker-5-abcdef')?.status).toBe('crashed')
  expect(entries.every(entry => Array.isArray(entry.tracked_files))).toBe(true)
  expect(JSON.parse(fs.readFileSync(layout.globalRegistry(rig.workspace), 'utf8'))).toMatchObject({
    their_setting: 7,
  })
  expect(sweep().out).toMatch(/\nnothing to do\n$/)
})
