import { type Command, Option } from 'commander'
import { strategyNames } from '../orchestrator/strategies/strategy.ts'
import { CannotServe, fail } from './exit.ts'

/** Adds the command `orchestrator`. */
export function addOrchestrator(program: Command): Command {
  return program
    .command('orchestrator')
    .description('serve the report’s orchestrator over MCP on stdin and stdout')
    .addOption(
      new Option('--strategy <name>', 'how it cleans up after its agents')
        .choices(strategyNames)
        .default('hybrid'),
    )
    .action(async ({ strategy }) => {
      const { serveOrchestrator } = await import('../orchestrator/main.ts')
      await serveOrchestrator(strategy).catch(error => fail(new CannotServe(error)))
    })
}
