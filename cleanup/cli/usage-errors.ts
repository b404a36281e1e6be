import type { Command } from 'commander'
import { oneLine } from '../platform/one-line.ts'
import { exitCodes } from './exit-codes.ts'

/**
 * Makes commander report wrong usage as our commands do: one line on stderr, exit code 2. The commands that are added
 * afterwards inherit it.
 */
export function reportUsageErrors(program: Command): Command {
  return program
    .exitOverride(error => process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage))
    .configureOutput({ outputError: (text, write) => write(`leakrig: ${sentence(text)}\n`) })
}

/** Commander writes "error: " in front of each message, and its suggestions on a line of their own. */
const sentence = (text: string): string =>
  oneLine(
    text
      .trimEnd()
      .replace(/^error: /, '')
      .replace(/\n(?=\(Did you mean )/, ' '),
  )

/**
 * Makes a command and its subcommands refuse another option in place of an option's value: commander takes whatever comes
 * next, so `--metrics-file --end-idle` would name a file. A file that begins with "-" can be named as `./-file`.
 */
export function refuseOptionsAsValues(command: Command): void {
  for (const option of command.options.filter(({ required }) => required)) {
    const kind = /<(file|dir)>$/.exec(option.flags)?.[1]
    const needed = kind === 'file' ? 'a file name' : kind === 'dir' ? 'a folder name' : 'a value'
    const { parseArg } = option
    option.argParser((value: string, before: unknown) => {
      if (value.startsWith(kind ? '-' : '--'))
        command.error(`error: option '${option.flags}' needs ${needed}, not another option`)
      return parseArg ? parseArg(value, before) : value
    })
  }
  command.commands.forEach(refuseOptionsAsValues)
}
