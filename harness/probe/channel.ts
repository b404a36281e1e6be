import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { ChannelOptions } from 'birpc'
import { CannotMeasureError } from '../errors.ts'

/**
 * A channel for birpc: one JSON message per line, in both directions. Any other line goes to `onNoise`, such as the
 * error of a container engine that could not start the program.
 */
export function ndjson(
  input: Readable,
  output: Writable,
  onNoise: (line: string) => void = () => {},
): ChannelOptions {
  return {
    post: (line: string) => void output.write(`${line}\n`),
    on: receive =>
      void createInterface({ input })
        .on('line', line => (line.startsWith('{') ? receive(line) : onNoise(line)))
        // The owner of the stream knows why it broke; without a listener here, it would end the process.
        .on('error', () => {}),
    serialize: message =>
      JSON.stringify(message, (_, value) => (value instanceof Error ? pack(value) : value)),
    deserialize: line =>
      JSON.parse(line, (key, value) => (key === 'e' && value?.message ? unpack(value) : value)),
  }
}

/** JSON.stringify makes `{}` of an Error. */
function pack({ name, message, stack }: Error) {
  return { name, message, stack }
}

/** An error that is one sentence stays one; any other is printed with the stack that it had. */
function unpack({ message, name, stack }: Error): Error {
  const error: Error = name === 'CannotMeasureError' ? new CannotMeasureError(message) : new Error(message)
  return Object.assign(error, { name, stack })
}
