import { CleanupError } from '../errors.ts'

/*
 * systemd reads a unit's line in three steps (systemd.syntax(7), systemd.service(5)): it takes words apart at spaces, with
 * quotes and C escapes; it replaces %n and the like; and when it starts a command, it replaces $NAME. The first word of a
 * command, its program, is not subject to the last, and may hold neither quotes nor a backslash, however written.
 */

/** One word of a command line that means itself. */
const argument = (word: string): string => setting(word).replaceAll('$', '$$$$')

/** One word of another setting (Environment=, RequiresMountsFor=), where $ means itself. */
export function setting(word: string): string {
  if (word.includes('\0'))
    throw new CleanupError('bad-argument', `${JSON.stringify(word)} is refused: no path holds a zero byte.`)
  const escaped = word
    .toWellFormed()
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    // Control characters as the bytes they are; a newline would end the line.
    .replaceAll(/\p{Cc}/gu, character =>
      [...Buffer.from(character)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
    )
  return `"${escaped}"`
}

/** A whole command. Where systemd refuses the program's name, a shell is the program and becomes ours at once. */
export function command(program: string, args: readonly string[]): string {
  if (!/["'\\\p{Cc}]/u.test(program)) return [setting(program), ...args.map(argument)].join(' ')
  return ['/bin/sh', '-c', argument('exec "$0" "$@"'), argument(program), ...args.map(argument)].join(' ')
}
