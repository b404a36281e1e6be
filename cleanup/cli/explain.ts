import type { Command } from 'commander'
import { run } from './exit-codes.ts'

export interface ExplainOptions {
  workspace?: string
  json?: boolean
}

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description(
      'say which processes are an agent’s and why, what a cleanup would do, and what it would leave alone',
    )
    .argument('<agent|pid>', 'an agent’s id (or <task>/<agent>), or a process’s number')
    .option('--workspace <dir>', 'the .agent-workspace of an orchestrator (the one below the current folder)')
    .option('--json', 'as JSON, for programs')
    .action(async (target: string, options: ExplainOptions) => {
      const { explain } = await import('./run-explain.ts')
      await run(() => explain(target, options))
    })
}
