import { oneLine, printableJson } from '../platform/one-line.ts'

/*
 * The only file that writes to standard output and standard error (test/cli/hostile-text.test.ts). Names, paths, command lines
 * and registries are other people's text, so everything is escaped here, wherever it came from.
 */

/** Prints lines for people. A line end within one of them is escaped. */
export function print(lines: readonly string[]): void {
  console.log(lines.map(oneLine).join('\n'))
}

/** Prints a value as indented JSON. */
export function printJson(value: unknown): void {
  console.log(printableJson(value, 2))
}

/** Prints a sentence to standard error. */
export function printProblem(sentence: string): void {
  console.error(`leakrig: ${oneLine(sentence)}`)
}

/** Writes a value to standard output as JSON on one line. Errors of the stream are the caller's. */
export function writeJsonLine(value: unknown): void {
  process.stdout.write(`${printableJson(value)}\n`)
}
