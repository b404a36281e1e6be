import { callOf } from '../../bin/programs.ts'
import { escapeRegExp } from '../escape-regexp.ts'
import { shellWord } from '../terminal.ts'
import type { Run } from './report.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** The command that runs one scenario again, for a person to paste into a shell. */
export function rerunCommand(
  { config }: Pick<Run, 'config'>,
  { file, name, system, soak }: ScenarioResult,
): string {
  const isCell = file.startsWith('scenarios/catalogue/')
  const options = ['--system', system, ...(config === undefined ? [] : ['--config', config])]
  if (soak) {
    const { seed, agentsPerRound, rounds } = soak
    const plan = ['--seed', seed, '--agents', agentsPerRound, '--repeat', rounds.length - 1].map(String)
    return [callOf('soak'), ...[...options, ...plan].map(shellWord)].join(' ')
  }
  const chosen = isCell ? [name] : ['-t', escapeRegExp(name)]
  return [callOf(isCell ? 'catalogue' : 'scenarios'), ...[...options, ...chosen].map(shellWord)].join(' ')
}
