/**
 * The rig can not measure here: something is missing or was refused. The message is one sentence that
 * says what, and what to do. It never counts as a pass, and the command line exits with 3.
 */
export class CannotMeasureError extends Error {
  override name = 'CannotMeasureError'
}

/** The thing ended while we looked at it: ENOENT for a file, ESRCH for an entry of /proc. */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ESRCH'
}

/** Somebody else's text on one line of a terminal: what a terminal would obey, or would break the line, is written out. */
export function printable(text: string): string {
  return text
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{C}]/gu, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
