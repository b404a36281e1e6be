/**
 * The rig cannot measure here: something is missing or was refused. The message is one sentence that names the problem
 * and what to do. It never counts as a pass, and the command line exits with 3.
 */
export class CannotMeasureError extends Error {
  override name = 'CannotMeasureError'
}

/** Whether a file or a process was gone before it could be read: ENOENT for a file, ESRCH for an entry of /proc. */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ESRCH'
}
