import type { Command } from 'commander'
import { exitCodes } from '../report/exit-codes.ts'
import { oneLine } from '../terminal.ts'

/**
 * Makes commander report wrong usage as the rig does: one line on stderr, exit code 2. The commands that are added
 * afterwards inherit it.
 */
export function reportUsageErrors(program: Command): Command {
  return program
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? exitCodes.passed : exitCodes.wrongUsage))
    .configureOutput({ outputError: (text, write) => write(`leakrig: ${sentence(text)}${hint(text)}\n`) })
}

/** Where the commands are listed, for an unknown one that resembles none. */
const hint = (text: string): string =>
  /unknown command '/.test(text) && !text.includes('Did you mean')
    ? '; "leakrig --help" lists the commands'
    : ''

/** A wrong value, as commander reports it: our own sentence, or its list of choices, follows. */
const INVALID = /^option '(?:-\w, )?(--[\w-]+)[^']*' argument '(.*)' is invalid\. (?:Allowed choices are )?/s

/** Commander writes "error: " in front of each message, and its suggestions on a line of their own. */
function sentence(text: string): string {
  const message = text
    .trimEnd()
    .replace(/^error: /, '')
    .replace(/\n(?=\(Did you mean )/, ' ')
  const isChoice = message.includes(' Allowed choices are ')
  return oneLine(
    message.replace(
      INVALID,
      (_, option, value) =>
        `${option} ${JSON.stringify(value)} is refused: ${isChoice ? 'expected one of ' : ''}`,
    ),
  )
}

/**
 * Makes a command refuse another option in place of an option's value: commander takes whatever comes next, so
 * `--json --list` would name a file. A file that begins with "-" can be named as `./-file`.
 */
export function refuseOptionsAsValues(command: Command): void {
  for (const option of command.options.filter(({ required }) => required)) {
    const isFile = option.flags.endsWith('<file>')
    const { parseArg } = option
    option.argParser((value: string, before: unknown) => {
      if (value.startsWith(isFile ? '-' : '--'))
        command.error(
          `error: option '${option.flags}' needs ${isFile ? 'a file name' : 'a value'}, not another option`,
        )
      return parseArg ? parseArg(value, before) : value
    })
  }
}
