import type { ReadStream, WriteStream } from 'node:tty'

const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
/** Terminals that know these show a frame only when it is whole; others pass them over. */
const [BEGIN_FRAME, END_FRAME] = ['\x1b[?2026h', '\x1b[?2026l']
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
const CTRL_C = '\x03'

/**
 * A terminal's second page, on which frames are drawn over each other: every line is overwritten and its rest cleared,
 * so that nothing is ever blank between two frames. The first page comes back as it was.
 */
export class Screen implements Disposable {
  readonly #out: WriteStream
  readonly #input: ReadStream | undefined
  readonly #onQuit: () => void
  readonly #onResize: () => void
  #lines: readonly string[] = []

  /** `onQuit` is called for q and Ctrl-C, which a terminal in raw mode no longer makes a signal of. */
  constructor(out: WriteStream, input: ReadStream | undefined, onQuit: () => void) {
    this.#out = out
    this.#input = input
    this.#onQuit = onQuit
    this.#onResize = () => this.draw(this.#lines)
    out.write(ENTER)
    out.on('resize', this.#onResize)
    input?.setRawMode(true)
    input?.on('data', this.#onKey)
    input?.resume()
  }

  draw(lines: readonly string[]): void {
    this.#lines = lines
    const { rows, columns } = this.#out
    // As much as there is room for, the last line kept for what was cut off: one more would scroll the page.
    const shown =
      lines.length <= rows
        ? lines
        : [...lines.slice(0, rows - 1), `... ${lines.length - rows + 1} more lines`]
    const text = shown.map(line => [...line].slice(0, columns).join('') + CLEAR_LINE).join('\r\n')
    this.#out.write(`${BEGIN_FRAME}${HOME}${text}${CLEAR_BELOW}${END_FRAME}`)
  }

  [Symbol.dispose](): void {
    this.#out.off('resize', this.#onResize)
    this.#input?.off('data', this.#onKey)
    this.#input?.setRawMode(false)
    this.#input?.pause()
    this.#out.write(LEAVE)
  }

  #onKey = (bytes: Buffer): void => {
    const keys = bytes.toString()
    if (keys.includes('q') || keys.includes(CTRL_C)) this.#onQuit()
  }
}
