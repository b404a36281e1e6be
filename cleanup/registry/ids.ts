import { CleanupError } from '../errors.ts'

/**
 * Ids become file names, tmux session names and shell words. This alphabet means itself in all three: tmux
 * rewrites `.` and `:` in a session's name and reads `$`, `%`, `@`, `=`, `*` in a target, and a leading dash is an option.
 */
const SAFE = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/

/** Returns the id when it is safe as a file name and a session name; otherwise throws a CleanupError (`bad-id`). */
export function validateAgentId(id: string): string {
  return validate('agent id', id)
}

/** The same rule for a task id, which is a folder's name. */
export function validateTaskId(id: string): string {
  return validate('task id', id)
}

/** How much of an id that is refused is quoted, in characters. It may have millions. */
const LONGEST_SHOWN = 140

function validate(what: string, id: unknown): string {
  if (typeof id === 'string' && SAFE.test(id)) return id
  throw new CleanupError(
    'bad-id',
    `The ${what} ${(JSON.stringify(id) ?? String(id)).slice(0, LONGEST_SHOWN)} is refused: expected 1 to 128 letters, digits, "_" or "-", not beginning with "-"; rename it in the registry.`,
  )
}
