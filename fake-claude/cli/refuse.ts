/** Ends the program before anything was started: prints one sentence to stderr and exits with 1. */
export function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
