import { Argument, type Command, Option } from 'commander'
import { systemNames } from '../systems/systems.ts'
import { type Kind, kinds } from './init/templates.ts'
import { duration, once, part, wholeNumberTo } from './option-values.ts'
import {
  addOptions,
  enginesOption,
  findingOptions,
  outputOptions,
  sandboxOptions,
  systemOption,
  systemsOption,
  verboseOption,
  workersOption,
} from './options.ts'
import { addOrchestrator } from './orchestrator.ts'
import { endingChoices } from './reproduce/shapes.ts'
import { refuseOptionsAsValues } from './usage-errors.ts'

/** Adds the commands `init`, `scenarios`, `catalogue`, `soak`, `reproduce`, `shell`, `report` and `orchestrator`. */
export function addHarnessCommands(program: Command): void {
  for (const add of [
    addInit,
    addScenarios,
    addCatalogue,
    addSoak,
    addReproduce,
    addShell,
    addReportOpen,
    addReportMerge,
    addOrchestrator,
  ])
    refuseOptionsAsValues(add(program))
}

function addInit(program: Command): Command {
  return program
    .command('init')
    .description('begin a leakrig.config.ts for your own orchestrator, in the current folder')
    .addArgument(
      new Argument('[kind]', 'how it is driven; asked for where it is left out').choices(Object.keys(kinds)),
    )
    .action(async (kind: Kind | undefined) => {
      const { init } = await import('./init/init.ts')
      await init(kind)
    })
}

function addScenarios(program: Command): Command {
  const command = program
    .command('scenarios')
    .description('run the scenarios against a system, in a sandbox')
    .usage('[filter ...] [options] [options of Vitest]')
  return addOptions(
    command,
    systemOption(),
    ...sandboxOptions(),
    enginesOption(),
    workersOption('scenario files run side by side'),
    ...outputOptions(),
    new Option(
      '--keep',
      'copy every workspace out of its sandbox (that of a failed scenario is always copied)',
    ),
    ...findingOptions(),
    new Option('--list', 'print the scenarios and run none'),
  )
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText(
      'after',
      '\nA filter is a part of a file name. Any other option is passed to Vitest: -t, --bail, --shard ...' +
        `\n${exitCodesText('scenario')}`,
    )
    .action(async (options, { args }: Command) => {
      const { runScenarios } = await import('./scenarios.ts')
      leave(await runScenarios(options, args))
    })
}

function addCatalogue(program: Command): Command {
  const command = program
    .command('catalogue')
    .description('run every leak shape with every ending against one system or several, and print the table')
    .argument('[filter...]', 'a part of the names of the cells to run: "own-session × killed"')
  return addOptions(
    command,
    systemsOption(),
    ...sandboxOptions(),
    enginesOption(),
    workersOption('files run side by side, two cells of each'),
    ...outputOptions(),
    new Option('--keep', 'copy every workspace out of its sandbox (that of a failed cell is always copied)'),
    ...findingOptions(),
    once(new Option('--shard <part>', 'run one part of several: 2/5').argParser(part)),
    new Option('--list', 'print the cells and run none'),
  )
    .addHelpText('after', `\n${exitCodesText('cell')}`)
    .action(async (filter: string[], options) => {
      const { runCatalogue } = await import('./catalogue.ts')
      leave(await runCatalogue(options, filter))
    })
}

function addSoak(program: Command): Command {
  const command = program
    .command('soak')
    .description('deploy and end agents in round after round, and show by how much each resource grows')
  return addOptions(
    command,
    systemOption(),
    ...sandboxOptions(),
    once(
      new Option('--agents <n>', 'how many agents are deployed at once in each round')
        .default(8)
        .argParser(wholeNumberTo(50)),
    ),
    once(
      new Option(
        '--repeat <n>',
        'how many rounds (default: 20, or as many as --for leaves time for)',
      ).argParser(wholeNumberTo(99_999)),
    ),
    once(
      new Option('--for <duration>', 'begin no round after this time, such as 90s, 10m or 2h').argParser(
        duration,
      ),
    ),
    once(
      new Option('--seed <n>', 'draws the agents and their endings (default: a new one each time)').argParser(
        wholeNumberTo(2 ** 31 - 1),
      ),
    ),
    ...outputOptions({ more: '; with a plot of each resource that changed (soak.svg)' }),
  )
    .addHelpText(
      'after',
      '\nExit codes: 0 everything is flat, 1 a leak or collateral, 2 wrong usage, 3 too few rounds or could not measure; 130, 143 and 141 after Ctrl-C, TERM and a reader that closed the output.',
    )
    .action(async options => {
      const { runSoak } = await import('./soak.ts')
      leave(await runSoak(options))
    })
}

function addReproduce(program: Command): Command {
  const command = program
    .command('reproduce')
    .description('make a leak on purpose in a sandbox, look at it there, and clean it up')
    .argument(
      '[name]',
      'a leak shape, a scenario, a cell of the catalogue, or report; without it, lists the names',
    )
  return addOptions(
    command,
    once(
      new Option('--ending <ending>', 'how an agent with a shape ends').choices(Object.keys(endingChoices)),
    ),
    once(
      new Option(
        '--system <name>',
        `the system that deploys it: one of the configuration, or one of ours (${systemNames.join(', ')}); default: that of the configuration, or none, which leaks`,
      ),
    ),
    ...sandboxOptions(),
    once(
      new Option('--engine <address>', 'the container engine, as unix:///path or tcp://name:port; only one'),
    ),
    once(new Option('--then <command>', 'run this in the sandbox (bash), and end with its exit code')),
    verboseOption(),
    new Option('--list', 'list what can be reproduced, and reproduce nothing'),
  )
    .addHelpText(
      'after',
      '\nExit codes: 0 it was shown, whatever is left; 2 wrong usage; 3 it could not be made; with --then that of the command; 130, 143, 129 and 141 after Ctrl-C, TERM, a closed terminal and a reader that closed the output. Nothing of the sandbox outlives the command.',
    )
    .action(async (name: string | undefined, options) => {
      const { runReproduce } = await import('./reproduce/reproduce.ts')
      process.exit(await runReproduce(name, options))
    })
}

function addShell(program: Command): Command {
  return program
    .command('shell')
    .description('open a shell in the sandbox of a reproduction that runs in another terminal')
    .argument('[name]', 'its name or its pid, where several run')
    .addOption(
      once(new Option('-c, --command <command>', 'run this there (bash), and end with its exit code')),
    )
    .action(async (name: string | undefined, options) => {
      const { runShell } = await import('./reproduce/shell.ts')
      process.exitCode = await runShell(name, options)
    })
}

function addReportOpen(program: Command): Command {
  return reportCommands(program)
    .command('open')
    .description('show the page of a report in your browser')
    .argument('<folder>', 'the folder that --report made')
    .action(async (folder: string) => {
      const { openReport } = await import('./report-open.ts')
      await openReport(folder)
    })
}

function addReportMerge(program: Command): Command {
  const command = reportCommands(program)
    .command('merge')
    .description('make one report of the shards of a run, and judge the whole')
    .argument('<folder...>', 'the folders that --report made, one for each shard')
  return addOptions(command, ...outputOptions(), ...findingOptions())
    .addHelpText(
      'after',
      `\nA shard that is missing makes the whole inconclusive.\n${exitCodesText('scenario')}`,
    )
    .action(async (folders: string[], options) => {
      const { mergeReports } = await import('./merge.ts')
      leave(await mergeReports(options, folders))
    })
}

/** The command `report`, below which each kind of use is one of its own. */
function reportCommands(program: Command): Command {
  const before = program.commands.find(command => command.name() === 'report')
  return before ?? program.command('report').description('work with the reports of runs')
}

function exitCodesText(what: string): string {
  return `Exit codes: 0 every ${what} passed, 1 a leak or collateral, 2 wrong usage, 3 could not measure; 130, 143 and 141 after Ctrl-C, TERM and a reader that closed the output.`
}

/** After a signal this process ends at once: Vitest may wait for workers that the same signal has ended. */
function leave(exitCode: number): void {
  if (exitCode > 128) process.exit(exitCode)
  process.exitCode = exitCode
}
