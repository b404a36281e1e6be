import { CleanupError } from '../errors.ts'

/**
 * Ids become file names, tmux session names and shell words, and these characters are literal in all three. tmux replaces `.`
 * and `:` in session names and interprets `$`, `%`, `@`, `=` and `*` in targets; a leading dash would be an option.
 */
const SAFE = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/

/** Returns an id that is safe as a file name and session name; otherwise throws a CleanupError (`bad-id`). */
export function validateAgentId(id: string): string {
  return validate('agent id', id)
}

/** `validateAgentId` for a task id, which names a folder. */
export function validateTaskId(id: string): string {
  return validate('task id', id)
}

/** How many characters of a refused id an error quotes. It may have millions. */
const LONGEST_SHOWN = 140

function validate(what: string, id: unknown): string {
  if (typeof id === 'string' && SAFE.test(id)) return id
  throw new CleanupError(
    'bad-id',
    `The ${what} ${(JSON.stringify(id) ?? String(id)).slice(0, LONGEST_SHOWN)} is refused: expected 1 to 128 letters, digits, "_" or "-", not beginning with "-"; rename it in the registry.`,
  )
}
