import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { ChannelOptions } from 'birpc'

/**
 * One JSON message a line, in both directions: what birpc needs for a channel. Any other line (an engine that
 * could not start the program says so on the same stream) goes to `onNoise`.
 */
export function ndjson(
  input: Readable,
  output: Writable,
  onNoise: (line: string) => void = () => {},
): ChannelOptions {
  return {
    post: (line: string) => void output.write(`${line}\n`),
    on: receive =>
      void createInterface({ input }).on('line', line =>
        line.startsWith('{') ? receive(line) : onNoise(line),
      ),
    serialize: message =>
      JSON.stringify(message, (_, value) => (value instanceof Error ? pack(value) : value)),
    deserialize: line =>
      JSON.parse(line, (key, value) => (key === 'e' && value?.message ? unpack(value) : value)),
  }
}

/** JSON has no errors: without this an exception on the far side arrives as `{}`. */
function pack({ name, message, stack }: Error) {
  return { name, message, stack }
}

function unpack({ message, name, stack }: Error): Error {
  return Object.assign(new Error(message), { name, stack })
}
