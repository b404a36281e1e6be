import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import {
  type JSONRPCMessage,
  ReadBuffer,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client'

/**
 * MCP over the pipes of a child that claude started itself. The official transport starts and ends its child, with timers
 * that are not claude's.
 */
export class ChildTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #child: ChildProcessWithoutNullStreams
  readonly #buffer = new ReadBuffer()

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
  }

  async start(): Promise<void> {
    this.#child.stdin.on('error', error => this.onerror?.(error))
    this.#child.stdout.on('data', chunk => this.#read(chunk)).on('close', () => this.onclose?.())
    // The server may have ended while the client was loaded, before anybody listened for `close`.
    if (this.#child.stdout.closed) throw new Error('the server ended before the handshake')
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#child.stdin.write(serializeMessage(message))
  }

  async close(): Promise<void> {
    this.onclose?.()
  }

  #read(chunk: Buffer): void {
    this.#buffer.append(chunk)
    for (;;) {
      try {
        const message = this.#buffer.readMessage()
        if (message === null) return
        this.onmessage?.(message)
      } catch (error) {
        this.onerror?.(error as Error)
      }
    }
  }
}
