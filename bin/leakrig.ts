#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander'
import { addCleanupCommands } from '../cleanup/cli/index.ts'
import { fail } from '../harness/cli/exit.ts'
import { addOrchestrator } from '../harness/cli/orchestrator.ts'
import { watchOutput } from '../harness/cli/output.ts'
import { exitCodes } from '../harness/report/exit-codes.ts'
import { sandboxChoices } from '../harness/sandbox/choices.ts'
import { systemNames } from '../harness/systems/systems.ts'
import project from '../package.json' with { type: 'json' }

const program = new Command('leakrig')
  .description('Reproduce, measure and gate the resource leaks of tmux-based Claude Code orchestrators.')
  .version(project.version)
  .exitOverride(error => process.exit(error.exitCode === 0 ? exitCodes.passed : exitCodes.wrongUsage))
  // These two serve: who reads what they print is not whom they work for.
  .hook('preAction', (_, command) => {
    if (!['daemon', 'orchestrator'].includes(command.name())) watchOutput()
  })

program
  .command('scenarios')
  .description('run the scenarios against a system, in a sandbox')
  .usage('[filter ...] [options] [options of Vitest]')
  .addOption(once(new Option('--system <name>', 'what is tested').choices(systemNames).default('hybrid')))
  .addOption(once(new Option('--sandbox <kind>', 'where it runs').choices(sandboxChoices).default('auto')))
  .option(
    '--workers <n>',
    'how many scenario files run side by side (one more than there are cores)',
    wholeNumber,
  )
  .option('--json <file>', 'write the report as JSON')
  .option('--keep', 'bring every workspace out of its sandbox, for a look (a failed scenario’s always is)')
  .option('--list', 'print the scenarios and run none')
  .allowUnknownOption()
  .allowExcessArguments()
  .addHelpText(
    'after',
    '\nA filter is a part of a file name. Any other option is passed to Vitest: -t, --bail, --shard ...' +
      '\nExit codes: 0 every scenario passed, 1 a leak or collateral, 2 wrong usage, 3 could not measure; 130, 143 and 141 after' +
      ' Ctrl-C, TERM and when nobody reads the output any more.',
  )
  .action(async (options, command: Command) => {
    const { runScenarios } = await import('../harness/cli/scenarios.ts')
    leave(await runScenarios(options, command.args))
  })

program
  .command('catalogue')
  .description('run every leak shape with every ending against one system or several, and print the table')
  .argument('[filter...]', 'a part of the names of the cells that are run: "own-session × killed"')
  .addOption(
    new Option('--system <name>', 'what is tested; may be given more than once (default: hybrid)').argParser(
      (name, names: string[] = []) => [...names, systemName(name)],
    ),
  )
  .addOption(new Option('--sandbox <kind>', 'where it runs').choices(sandboxChoices).default('auto'))
  .option(
    '--workers <n>',
    'how many files run side by side, two cells of each (one more than there are cores)',
    wholeNumber,
  )
  .option('--json <file>', 'write the report as JSON')
  .option('--keep', 'bring every workspace out of its sandbox, for a look (a failed cell’s always is)')
  .action(async (filter: string[], options) => {
    const { runCatalogue } = await import('../harness/cli/catalogue.ts')
    leave(await runCatalogue({ ...options, system: options.system ?? ['hybrid'] }, filter))
  })

addOrchestrator(program)
addCleanupCommands(program)

/** A run that was interrupted does not wait for Vitest, which may wait for workers that the signal has ended. */
function leave(exitCode: number): void {
  if (exitCode > 128) process.exit(exitCode)
  process.exitCode = exitCode
}

/** Of what is given twice, the last would win in silence. */
function once(option: Option): Option {
  const { parseArg } = option
  let isGiven = false
  return option.argParser((text: string, before: string) => {
    if (isGiven) throw new InvalidArgumentError(`${option.long} was given already: one run has one.`)
    isGiven = true
    return parseArg ? parseArg(text, before) : text
  })
}

function systemName(name: string): string {
  if (systemNames.includes(name)) return name
  throw new InvalidArgumentError(`Allowed choices are ${systemNames.join(', ')}.`)
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number from 1 to 999.')
}

await program.parseAsync().catch(fail)
