/**
 * Whether a tmux command failed because its server was exiting: a server whose last session has just ended still accepts
 * clients, and exits without running their commands. A retry reaches the next server, or none.
 */
export function isServerExiting(stderr: string): boolean {
  return /server exited|lost server/.test(stderr)
}
