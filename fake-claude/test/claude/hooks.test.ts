import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Run, stream } from '../support/claude.ts'
import { Traces } from '../support/traces.ts'

const events = ['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'Stop', 'SessionEnd']

test('hooks of the project and of --settings run, each once and in order', async () => {
  const traces = new Traces()
  const log = join(traces.folder, 'hooks')
  const settings = (from: string) => {
    const hook = (event: string) => [
      { hooks: [{ type: 'command', command: `echo ${event} ${from} >>${log}` }] },
    ]
    return JSON.stringify({ hooks: Object.fromEntries(events.map(event => [event, hook(event)])) })
  }
  mkdirSync(join(traces.cwd, '.claude'))
  writeFileSync(join(traces.cwd, '.claude/settings.json'), settings('project'))
  const args = [...stream, '--settings', settings('given')]
  await using run = new Run({ args, directive: 'persona=exits', folder: traces.folder })
  expect(await run.ended).toBe(0)
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  for (const from of ['project', 'given'])
    expect(lines.filter(line => line.endsWith(from))).toEqual(events.map(event => `${event} ${from}`))
})
