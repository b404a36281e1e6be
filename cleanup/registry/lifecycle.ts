const TERMINAL: ReadonlySet<string> = new Set(['completed', 'terminated', 'error', 'failed', 'crashed'])

/**
 * True only for the words known to mean an end. Everything else counts as live, an unknown word too: nobody's
 * agent is ended over a status that this version has not learned.
 */
export function isTerminal(status: unknown): boolean {
  return typeof status === 'string' && TERMINAL.has(status)
}
