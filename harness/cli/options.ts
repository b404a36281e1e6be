import { type Command, Option } from 'commander'
import { sandboxChoices } from '../sandbox/sandbox.ts'
import { systemNames } from '../systems/systems.ts'
import { collected, once, wholeNumberTo } from './option-values.ts'

// The options that several commands have.

/** Adds options to a command, in this order. */
export function addOptions(command: Command, ...options: Option[]): Command {
  for (const option of options) command.addOption(option)
  return command
}

/** `--system`: of one that is tested. */
export const systemOption = (): Option => once(new Option('--system <name>', systemText))

/** `--system`, which may be given more than once. */
export const systemsOption = (): Option =>
  new Option('--system <name>', `${systemText}; may be given more than once`).argParser(collected)

const systemText = `what is tested: a system of the configuration, or one of ours (${systemNames.join(', ')}); default: that of the configuration, or hybrid`

/** What is in a sandbox, and where it runs. */
export const sandboxOptions = (): Option[] => [
  once(
    new Option(
      '--config <file>',
      'which systems there are (default: the leakrig.config.ts, .mts, .js, .mjs or .json of the current folder)',
    ),
  ),
  once(new Option('--sandbox <kind>', 'where it runs').choices(sandboxChoices).default('auto')),
  new Option(
    '--mount <path>',
    'a folder or file that the sandbox shows under its own path, read-only; may be given more than once',
  ).argParser(collected),
  once(new Option('--image <name>', "the image of a container, in place of the rig's own")),
]

/** `--engine`, which may be given more than once. */
export const enginesOption = (): Option =>
  new Option(
    '--engine <address>',
    'a container engine, as unix:///path or tcp://name:port; given more than once, sandboxes are spread over them',
  ).argParser(collected)

/** `--workers`, for files of some kind. */
export const workersOption = (files: string): Option =>
  new Option('--workers <n>', `how many ${files} (default: one more than there are cores)`).argParser(
    wholeNumberTo(999),
  )

/** Where the report is written, in which forms. */
export const outputOptions = ({ more = '' } = {}): Option[] => [
  new Option('--json <file>', 'write the report as JSON'),
  new Option(
    '--report <folder>',
    `write the report as a page for browsers, as JSON with its time lines, and as a trace for ui.perfetto.dev${more}`,
  ),
  new Option('--junit <file>', 'write the report as JUnit XML'),
]

/** Known leaks, and how much is printed of what is found. */
export const findingOptions = (): Option[] => [
  once(
    new Option(
      '--known <file>',
      'the list of known leaks (default: the leakrig.known.json of the current folder)',
    ),
  ),
  new Option(
    '--update-known',
    'write what this run found into the list of known leaks, and take out what is fixed',
  ),
  verboseOption(),
]

/** `--verbose`. */
export const verboseOption = (): Option =>
  new Option('--verbose', 'print every count, and each finding with its mechanism and its command')
