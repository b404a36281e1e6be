/** What kind of refusal a CleanupError is; callers branch on it, people read the sentence. */
export type CleanupErrorCode =
  | 'bad-id'
  | 'outside-workspace'
  | 'not-the-owner'
  | 'no-workspace'
  | 'unknown-task'
  | 'unknown-agent'
  | 'already-there'
  | 'registry-unreadable'
  | 'registry-unwritable'
  | 'lock-held'
  | 'processes-hidden'
  | 'tmux-unreachable'
  | 'elsewhere'
  | 'cannot-hand-over'
  | 'bad-argument'
  | 'daemon-running'
  | 'cannot-lock'
  | 'limit-reached'

/**
 * Something that stops a cleanup before it did harm. The message is one sentence for a person: the thing's
 * name, what was expected, what was found, and the next step.
 */
export class CleanupError extends Error {
  override readonly name = 'CleanupError'
  readonly code: CleanupErrorCode

  constructor(code: CleanupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The `code` of a Node system error (`ENOENT`, `EACCES`, ...), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * What the system reports where nobody can write at the moment: no room, a limit on the size of files, a read-only or broken
 * disk. A missing permission is none of these: it is somebody's decision about whose the files are.
 */
const NO_WRITES: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO'])

/** True for an error of the system that says so, and for a registry that could not be written because of one. */
export function takesNoWrites(error: unknown): boolean {
  if (error instanceof CleanupError) return error.code === 'registry-unwritable' && takesNoWrites(error.cause)
  return NO_WRITES.has(systemCode(error))
}

/** An error's own words, for use inside a longer sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A message without its final full stop, for use inside a sentence: our own errors are whole sentences. */
export const withoutStop = (message: string): string => message.replace(/\.$/, '')

/** Receives what a step threw: its message, and the error itself for a look at its code. */
type OnFailure = (message: string, error: unknown) => void

/**
 * Runs a step whose failure must not stop its caller. Returns the step's value, or undefined after `onFailure` got what
 * the step threw. For a synchronous step only: use `attemptAsync` for one that returns a promise.
 */
export function attempt<T>(step: () => T, onFailure: OnFailure): T | undefined {
  try {
    return step()
  } catch (error) {
    onFailure(messageOf(error), error)
    return undefined
  }
}

/** `attempt` for a step that may return a promise. Rejects only with what `onFailure` throws. */
export async function attemptAsync<T>(
  step: () => T | Promise<T>,
  onFailure: OnFailure,
): Promise<T | undefined> {
  try {
    return await step()
  } catch (error) {
    onFailure(messageOf(error), error)
    return undefined
  }
}
