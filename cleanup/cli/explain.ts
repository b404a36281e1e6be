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
    .argument('[workspace]', 'the folder .agent-workspace (the one below the current folder)')
    .option('--workspace <dir>', 'the same, for scripts')
    .option('--json', 'as JSON, for programs')
    .addHelpText(
      'after',
      '\nExit codes: 0 explained; 2 wrong usage; 3 something could not be read or asked (the rest is explained).',
    )
    .action(async (target: string, folder: string | undefined, options: ExplainOptions) => {
      const { explain } = await import('./run-explain.ts')
      await run(() => explain(target, folder ?? options.workspace, options))
    })
}
