import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import type { Shard } from '../report/report.ts'
import { sandboxChoices } from '../sandbox/sandbox.ts'
import { systemNames } from '../systems/systems.ts'
import { type Kind, kinds } from './init/templates.ts'
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
  return program
    .command('scenarios')
    .description('run the scenarios against a system, in a sandbox')
    .usage('[filter ...] [options] [options of Vitest]')
    .addOption(once(new Option('--system <name>', systemText)))
    .addOption(configOption())
    .addOption(once(new Option('--sandbox <kind>', 'where it runs').choices(sandboxChoices).default('auto')))
    .addOption(mountOption())
    .addOption(once(new Option('--image <name>', "the image of a container, in place of the rig's own")))
    .addOption(engineOption())
    .option(
      '--workers <n>',
      'how many scenario files run side by side (default: one more than there are cores)',
      wholeNumber,
    )
    .option('--json <file>', 'write the report as JSON')
    .option('--report <folder>', reportText)
    .option('--junit <file>', 'write the report as JUnit XML')
    .option('--keep', 'copy every workspace out of its sandbox (that of a failed scenario is always copied)')
    .addOption(knownOption())
    .option('--update-known', updateKnownText)
    .addOption(verboseOption())
    .option('--list', 'print the scenarios and run none')
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText(
      'after',
      '\nA filter is a part of a file name. Any other option is passed to Vitest: -t, --bail, --shard ...' +
        `\n${exitCodesText('scenario')}`,
    )
    .action(async (options, command: Command) => {
      const { runScenarios } = await import('./scenarios.ts')
      leave(await runScenarios(options, command.args))
    })
}

function addCatalogue(program: Command): Command {
  return program
    .command('catalogue')
    .description('run every leak shape with every ending against one system or several, and print the table')
    .argument('[filter...]', 'a part of the names of the cells to run: "own-session × killed"')
    .addOption(
      new Option('--system <name>', `${systemText}; may be given more than once`).argParser(
        (name, names: string[] = []) => [...names, name],
      ),
    )
    .addOption(configOption())
    .addOption(new Option('--sandbox <kind>', 'where it runs').choices(sandboxChoices).default('auto'))
    .addOption(mountOption())
    .addOption(once(new Option('--image <name>', "the image of a container, in place of the rig's own")))
    .addOption(engineOption())
    .option(
      '--workers <n>',
      'how many files run side by side, two cells of each (default: one more than there are cores)',
      wholeNumber,
    )
    .option('--json <file>', 'write the report as JSON')
    .option('--report <folder>', reportText)
    .option('--junit <file>', 'write the report as JUnit XML')
    .option('--keep', 'copy every workspace out of its sandbox (that of a failed cell is always copied)')
    .addOption(knownOption())
    .option('--update-known', updateKnownText)
    .addOption(verboseOption())
    .addOption(once(new Option('--shard <part>', 'run one part of several: 2/5').argParser(part)))
    .option('--list', 'print the cells and run none')
    .addHelpText('after', `\n${exitCodesText('cell')}`)
    .action(async (filter: string[], options) => {
      const { runCatalogue } = await import('./catalogue.ts')
      leave(await runCatalogue(options, filter))
    })
}

function addSoak(program: Command): Command {
  return program
    .command('soak')
    .description('deploy and end agents in round after round, and show by how much each resource grows')
    .addOption(once(new Option('--system <name>', systemText)))
    .addOption(configOption())
    .addOption(once(new Option('--sandbox <kind>', 'where it runs').choices(sandboxChoices).default('auto')))
    .addOption(mountOption())
    .addOption(once(new Option('--image <name>', "the image of a container, in place of the rig's own")))
    .addOption(
      once(
        new Option('--agents <n>', 'how many agents are deployed at once in each round')
          .default(8)
          .argParser(wholeNumberTo(50)),
      ),
    )
    .addOption(
      once(
        new Option(
          '--repeat <n>',
          'how many rounds (default: 20, or as many as --for leaves time for)',
        ).argParser(wholeNumberTo(99_999)),
      ),
    )
    .addOption(
      once(
        new Option('--for <duration>', 'begin no round after this time, such as 90s, 10m or 2h').argParser(
          duration,
        ),
      ),
    )
    .addOption(
      once(
        new Option(
          '--seed <n>',
          'draws the agents and their endings (default: a new one each time)',
        ).argParser(wholeNumberTo(2 ** 31 - 1)),
      ),
    )
    .option('--json <file>', 'write the report as JSON')
    .option(
      '--report <folder>',
      'write the report with its time line, as a trace for ui.perfetto.dev, and a plot (soak.svg)',
    )
    .option('--junit <file>', 'write the report as JUnit XML')
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
  return program
    .command('reproduce')
    .description('make a leak on purpose in a sandbox, look at it there, and clean it up')
    .argument(
      '[name]',
      'a leak shape, a scenario, a cell of the catalogue, or report; without it, lists the names',
    )
    .addOption(
      once(
        new Option('--ending <ending>', 'how an agent with a shape ends').choices(Object.keys(endingChoices)),
      ),
    )
    .addOption(
      once(
        new Option(
          '--system <name>',
          `the system that deploys it: one of the configuration, or one of ours (${systemNames.join(', ')}); default: that of the configuration, or none, which leaks`,
        ),
      ),
    )
    .addOption(configOption())
    .addOption(once(new Option('--sandbox <kind>', 'where it runs').choices(sandboxChoices).default('auto')))
    .addOption(mountOption())
    .addOption(once(new Option('--image <name>', "the image of a container, in place of the rig's own")))
    .addOption(
      once(
        new Option(
          '--engine <address>',
          'the container engine, as unix:///path or tcp://name:port; only one',
        ),
      ),
    )
    .addOption(
      once(new Option('--then <command>', 'run this in the sandbox (bash), and end with its exit code')),
    )
    .addOption(verboseOption())
    .option('--list', 'list what can be reproduced, and reproduce nothing')
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
  return reportCommands(program)
    .command('merge')
    .description('make one report of the shards of a run, and judge the whole')
    .argument('<folder...>', 'the folders that --report made, one for each shard')
    .option('--report <folder>', reportText)
    .option('--json <file>', 'write the whole report as JSON')
    .option('--junit <file>', 'write the whole report as JUnit XML')
    .addOption(knownOption())
    .option('--update-known', updateKnownText)
    .addOption(verboseOption())
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

const systemText = `what is tested: a system of the configuration, or one of ours (${systemNames.join(', ')}); default: that of the configuration, or hybrid`

const reportText =
  'write the report as a page for browsers, as JSON with its time lines, and as a trace for ui.perfetto.dev'

function configOption(): Option {
  return once(
    new Option(
      '--config <file>',
      'which systems there are (default: the leakrig.config.ts, .mts, .js, .mjs or .json of the current folder)',
    ),
  )
}

function mountOption(): Option {
  return new Option(
    '--mount <path>',
    'a folder or file that the sandbox shows under its own path, read-only; may be given more than once',
  ).argParser((path, paths: string[] = []) => [...paths, path])
}

function engineOption(): Option {
  return new Option(
    '--engine <address>',
    'a container engine, as unix:///path or tcp://name:port; given more than once, sandboxes are spread over them',
  ).argParser((address, addresses: string[] = []) => [...addresses, address])
}

const updateKnownText = 'write what this run found into the list of known leaks, and take out what is fixed'

function knownOption(): Option {
  return once(
    new Option(
      '--known <file>',
      'the list of known leaks (default: the leakrig.known.json of the current folder)',
    ),
  )
}

function verboseOption(): Option {
  return new Option('--verbose', 'print every count, and each finding with its mechanism and its command')
}

function exitCodesText(what: string): string {
  return `Exit codes: 0 every ${what} passed, 1 a leak or collateral, 2 wrong usage, 3 could not measure; 130, 143 and 141 after Ctrl-C, TERM and a reader that closed the output.`
}

/** After a signal this process ends at once: Vitest may wait for workers that the same signal has ended. */
function leave(exitCode: number): void {
  if (exitCode > 128) process.exit(exitCode)
  process.exitCode = exitCode
}

/** Refuses an option that is given twice; commander would silently take the last one. */
function once(option: Option): Option {
  const { parseArg } = option
  let isGiven = false
  return option.argParser((text: string, before: string) => {
    if (isGiven) throw new InvalidArgumentError('expected it only once.')
    isGiven = true
    return parseArg ? parseArg(text, before) : text
  })
}

function part(text: string): Shard {
  const [, index, count] = (/^([1-9]\d{0,2})\/([1-9]\d{0,2})$/.exec(text) ?? []).map(Number)
  if (index !== undefined && count !== undefined && index <= count) return { index, count }
  throw new InvalidArgumentError('expected a part of all of them, such as 2/5.')
}

const wholeNumber = wholeNumberTo(999)

function wholeNumberTo(most: number): (text: string) => number {
  return text => {
    if (/^[1-9]\d{0,9}$/.test(text) && Number(text) <= most) return Number(text)
    throw new InvalidArgumentError(`expected a whole number from 1 to ${most}.`)
  }
}

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000 }

/** A duration in ms. */
function duration(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,4})(s|m|h)$/.exec(text) ?? []
  if (unit !== undefined) return Number(number) * unitsMs[unit as keyof typeof unitsMs]
  throw new InvalidArgumentError('expected a duration with its unit (s, m or h), such as 90s, 10m or 2h.')
}
