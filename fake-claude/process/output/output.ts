import { appendFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Flags } from '../../cli/flags.ts'
import type { Note } from '../session/journal.ts'
import type { Event } from './events.ts'

/** One of the formats of --print, or what shows an event on a screen. */
type Format = Flags['outputFormat'] | ((event: Event) => string)

/**
 * claude's stdout. claude never waits for its reader, whether that is gone or stalls, so the log of a stalled reader ends
 * in the middle of a line when claude exits.
 */
export class Output {
  /** claude is ending: events of its persona are dropped. */
  stopped = false
  readonly #waiting = new Set<{ text: string }>()
  readonly #format: Format
  readonly #transcript: string
  readonly #note: Note

  constructor(format: Format, transcript: string, note: Note) {
    this.#format = format
    this.#transcript = transcript
    this.#note = note
    process.stdout.on('error', () => {})
  }

  emit(event: Event): Promise<void> {
    // claude is ending: its persona must not go on to the next step.
    if (this.stopped) return new Promise(() => {})
    return this.lastWord(event)
  }

  /**
   * Writes many events; resolves when stdout has taken or refused each of them. Each is a write of its own: the kernel
   * takes a line of less than a page whole or not at all, and Node would join waiting lines into one write, of which
   * SIGKILL could leave half a line. The journal gets all of them in one write.
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

  /** Writes an event also while claude is ending. Resolves when stdout has taken it, or at once when the reader stalls. */
  lastWord(event: Event): Promise<void> {
    this.#remember([event])
    const text = printed(event, this.#format)
    if (text === undefined) return Promise.resolve()
    const { uuid, type } = event
    const accepted = this.write(text).then(whole => this.#note(whole ? 'event' : 'lost', { uuid, type }))
    return process.stdout.writableLength > 0 ? Promise.resolve() : accepted
  }

  /** Resolves with whether stdout took the whole text. */
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

  /** Resolves with whether the reader took everything within so many ms. */
  async drain(limit: number): Promise<boolean> {
    const deadline = performance.now() + limit
    while (this.#waiting.size > 0 && performance.now() < deadline) await sleep(10)
    return this.#waiting.size === 0
  }

  /** Writes what still fits into the pipe of a stalled reader: of more than a page, the kernel takes a part. */
  cut(): void {
    const rest = [...this.#waiting].map(piece => piece.text).join('')
    try {
      if (rest) writeSync(1, rest)
    } catch {
      // The pipe is full.
    }
  }

  #remember(events: Event[]): void {
    const timestamp = new Date().toISOString()
    const kept = events.filter(({ type }) => type === 'assistant' || type === 'user')
    const lines = kept.map(event => `${JSON.stringify({ ...event, timestamp })}\n`)
    if (lines.length > 0) appendFileSync(this.#transcript, lines.join(''))
  }
}

function printed(event: Event, format: Format): string | undefined {
  if (typeof format === 'function') return format(event)
  if (format === 'stream-json') return `${JSON.stringify(event)}\n`
  if (event.type !== 'result') return undefined
  return format === 'json' ? `${JSON.stringify(event)}\n` : `${event.result ?? 'Execution error'}\n`
}
