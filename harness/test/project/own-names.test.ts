import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { strategyNames } from '../../orchestrator/strategies/strategy.ts'
import { systemNames } from '../../systems/systems.ts'

/** What measures: it knows every system by its definition only. */
const measuring = ['definition', 'probe', 'report', 'rig', 'sandbox', 'snapshot', 'verdict']

/** Names of our own orchestrator: its tools, the fields of its answers, its files and folders, its strategies. */
const ownNames = [
  /create_real_task|deploy_headless_agent|kill_real_agent|update_agent_progress|report_agent_finding|get_agent_output|get_real_task_status/,
  /\b(?:agent_id|task_id|tmux_session|active_count|active_agents)\b/,
  /AGENT_REGISTRY|GLOBAL_REGISTRY|agent-workspace|agent_prompt|_stream\b|_progress\b|_findings\b|CLAUDE_ORCHESTRATOR/,
  // The word "none" is everybody's.
  new RegExp(`'(?:${strategyNames.filter(name => name !== 'none').join('|')})'`),
]

/** Where such a name is right, and why. */
const exceptions: Record<string, RegExp> = {
  // The system that is tested where nobody chooses one, and what its name does not allow.
  'rig/chosen-system.ts': /ownSystem\('hybrid'\)/,
}

const files = globSync(`{${measuring}}/**/*.{ts,tsx,sh}`, { cwd: join(projectRoot, 'harness') })

test('there is something to check', () => {
  expect(files.length).toBeGreaterThan(60)
  expect(systemNames).toEqual(strategyNames)
})

test.for(files)('harness/%s knows no name of our own orchestrator', file => {
  const lines = readFileSync(join(projectRoot, 'harness', file), 'utf8').split('\n')
  const found = lines.filter(line => ownNames.some(name => name.test(line)) && !exceptions[file]?.test(line))
  expect(found).toEqual([])
})
