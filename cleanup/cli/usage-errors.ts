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

/** Options of earlier versions, and what became of them. */
const REMOVED: Record<string, string> = {
  '--compress': 'The option --compress was removed, because archives are no longer compressed; leave it out.',
}

/** Makes a command, and those below it, point at its help when an option is unknown and resembles none, or an argument is missing. */
export function hintAtHelp(command: Command, name = `leakrig ${command.name()}`): void {
  const outputError = (text: string, write: (text: string) => void) => {
    const [, option = ''] = /unknown option '(--[^'=]*)/.exec(text) ?? []
    const removed = REMOVED[option]
    const isUnknown = option !== '' && !text.includes('Did you mean')
    const isMissing = text.includes('missing required argument')
    const what = isUnknown ? 'lists the options' : isMissing && 'shows the usage'
    const hint = what ? `; "${name} --help" ${what}` : ''
    write(`leakrig: ${removed ?? `${sentence(text)}${hint}`}\n`)
  }
  command.configureOutput({ outputError })
  for (const one of command.commands) hintAtHelp(one, `${name} ${one.name()}`)
}

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
