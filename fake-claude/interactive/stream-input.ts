import { createInterface } from 'node:readline'
import { refuse } from '../cli/refuse.ts'
import type { Prompts } from './converse.ts'

/** A request of the program that reads stdout, as the Agent SDK sends them. */
export interface ControlRequest {
  request_id: string
  request: { subtype: string }
}

interface Line extends Partial<ControlRequest> {
  type?: string
  message?: { content?: string | { text?: string }[] }
}

/** `--input-format stream-json`: a prompt for each line with a user's message, as it comes. */
export class StreamInput implements Prompts {
  isOver = false
  readonly #waiting: string[] = []
  #wake = (): void => {}

  constructor(onControl: (request: ControlRequest) => void) {
    const lines = createInterface({ input: process.stdin })
    lines.on('line', text => {
      if (text.trim() === '') return
      const { type, message, request_id = '', request } = parse(text)
      if (type === 'user') this.#waiting.push(textOf(message?.content ?? ''))
      if (type === 'control_request' && request) onControl({ request_id, request })
      this.#wake()
    })
    lines.on('close', () => {
      this.isOver = true
      this.#wake()
    })
  }

  async next(): Promise<string | undefined> {
    while (!this.isOver && this.#waiting.length === 0)
      await new Promise<void>(wake => {
        this.#wake = wake
      })
    return this.#waiting.shift()
  }

  setBusy(): void {}
}

const textOf = (content: string | { text?: string }[]): string =>
  typeof content === 'string' ? content : content.map(block => block.text ?? '').join('\n')

function parse(text: string): Line {
  try {
    return JSON.parse(text) as Line
  } catch {
    return refuse(`Error: a line on stdin is not JSON, as --input-format=stream-json demands: ${text}`)
  }
}
