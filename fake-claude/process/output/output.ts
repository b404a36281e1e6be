import { appendFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Flags } from '../../cli/flags.ts'
import type { Note } from '../session/journal.ts'
import type { Event } from './events.ts'

/**
 * claude's stdout. It never waits for a reader: to one that is gone, and to one that stalls, claude pays no
 * attention. So a stalled reader's log ends in the middle of a line when claude leaves.
 */
export class Output {
  /** claude is ending: what its persona still says comes too late. */
  stopped = false
  readonly #waiting = new Set<{ text: string }>()
  readonly #format: Flags['outputFormat']
  readonly #transcript: string
  readonly #note: Note

  constructor(format: Flags['outputFormat'], transcript: string, note: Note) {
    this.#format = format
    this.#transcript = transcript
    this.#note = note
    process.stdout.on('error', () => {})
  }

  emit(event: Event): Promise<void> {
    // A stopped claude is ending: its persona must not go on to the next step.
    if (this.stopped) return new Promise(() => {})
    return this.lastWord(event)
  }

  /**
   * Many in a row; resolves when stdout has, or has not, taken each of them. Each is a write of its own, because the
   * kernel takes a line of less than a page whole or not at all, and Node would hand over what waits in one piece, of
   * which SIGKILL may leave half a line. The journal gets them together.
   */
  async emitAll(events: Event[]): Promise<void> {
    if (this.stopped) return new Promise(() => {})
    this.#remember(events)
    const texts = events.map(event => printed(event, this.#format)).filter(text => text !== undefined)
    const taken: boolean[] = []
    for (const text of texts) if (!this.stopped) taken.push(await this.write(text))
    const identities = events.map(({ uuid, type }) => ({ uuid, type }))
    for (const [what, whole] of [
      ['event', true],
      ['lost', false],
    ] as const)
      this.#note(
        what,
        identities.filter((_, at) => taken[at] === whole),
      )
  }

  /** Resolves when stdout has the whole line, or at once when its reader keeps it waiting. */
  lastWord(event: Event): Promise<void> {
    this.#remember([event])
    const text = printed(event, this.#format)
    if (text === undefined) return Promise.resolve()
    const { uuid, type } = event
    const accepted = this.write(text).then(whole => this.#note(whole ? 'event' : 'lost', { uuid, type }))
    return process.stdout.writableLength > 0 ? Promise.resolve() : accepted
  }

  /** Whether stdout took all of it. */
  write(text: string): Promise<boolean> {
    const piece = { text }
    this.#waiting.add(piece)
    return new Promise(done => {
      process.stdout.write(text, error => {
        this.#waiting.delete(piece)
        done(!error)
      })
    })
  }

  /** Whether the reader took everything within the time. */
  async drain(limit: number): Promise<boolean> {
    const deadline = performance.now() + limit
    while (this.#waiting.size > 0 && performance.now() < deadline) await sleep(10)
    return this.#waiting.size === 0
  }

  /** Leaves a reader that stalls with what still fits into its pipe: more than a page is written in part. */
  cut(): void {
    const rest = [...this.#waiting].map(piece => piece.text).join('')
    try {
      if (rest) writeSync(1, rest)
    } catch {
      // Not a byte fits.
    }
  }

  #remember(events: Event[]): void {
    const timestamp = new Date().toISOString()
    const kept = events.filter(({ type }) => type === 'assistant' || type === 'user')
    const lines = kept.map(event => `${JSON.stringify({ ...event, timestamp })}\n`)
    if (lines.length > 0) appendFileSync(this.#transcript, lines.join(''))
  }
}

function printed(event: Event, format: Flags['outputFormat']): string | undefined {
  if (format === 'stream-json') return `${JSON.stringify(event)}\n`
  if (event.type !== 'result') return undefined
  return format === 'json' ? `${JSON.stringify(event)}\n` : `${event.result ?? 'Execution error'}\n`
}
