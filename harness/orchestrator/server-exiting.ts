/**
 * Whether a tmux client was turned away by a server on its way out: one whose last session has just ended still lets
 * clients in, and leaves them without having heard them. To ask again is to ask the next server, or none.
 */
export function isServerExiting(stderr: string): boolean {
  return /server exited|lost server/.test(stderr)
}
