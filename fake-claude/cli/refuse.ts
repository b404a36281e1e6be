/** Ends the program before anything was started: one sentence on stderr, exit 1. */
export function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
