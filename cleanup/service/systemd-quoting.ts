import { CleanupError } from '../errors.ts'

/*
 * systemd reads a line of a unit in three steps (systemd.syntax(7), systemd.service(5)): it splits words at spaces, with
 * quotes and C escapes; it expands specifiers such as %n; and for a command it expands $NAME. The first word of a command,
 * its program, is exempt from the last step, and may contain neither quotes nor a backslash, not even escaped.
 */

/** One word of a command line, taken literally. */
const quoteArgument = (word: string): string => quoteSetting(word).replaceAll('$', '$$$$')

/**
 * One word of another setting (Environment=, RequiresMountsFor=), in which systemd expands no variable. Throws a
 * CleanupError (`bad-argument`) for a zero byte.
 */
export function quoteSetting(word: string): string {
  if (word.includes('\0'))
    throw new CleanupError('bad-argument', `${JSON.stringify(word)} is refused: a path has no zero byte.`)
  const escaped = word
    .toWellFormed()
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    // Unprintable characters as escaped bytes; a newline would end the line.
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, character =>
      [...Buffer.from(character)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
    )
  return `"${escaped}"`
}

/** A whole command. Where systemd would refuse the program's name, a shell execs it. */
export function quoteCommand(program: string, args: readonly string[]): string {
  if (!/["'\\\p{C}\p{Zl}\p{Zp}]/u.test(program))
    return [quoteSetting(program), ...args.map(quoteArgument)].join(' ')
  const words = ['exec "$0" "$@"', program, ...args]
  return ['/bin/sh', '-c', ...words.map(quoteArgument)].join(' ')
}
