import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { Keyboard } from './keyboard.ts'
import { Screen } from './screen.ts'

/** Two of these keys within this time end claude, in ms. Measured: 1.4 s. */
const twiceWithinMs = 1400

/** The terminal of an interactive claude: what is submitted in it, and what ends or interrupts it. */
export class Pane {
  readonly screen = new Screen(() => process.stdout.columns)
  /** What Escape does while claude works. */
  onInterrupt = (): void => {}
  readonly #waiting: string[] = []
  #wake = (): void => {}
  #isOver = false
  #controlAt = Number.NEGATIVE_INFINITY

  /** Begins to read. @param first what was given as an argument: it is submitted at once */
  open(first: string | undefined): void {
    const keyboard = new Keyboard({
      insert: text => this.#edit(this.screen.text + text),
      enter: () => this.#enter(),
      erase: () => this.#edit([...this.screen.text].slice(0, -1).join('')),
      clear: () => this.#edit(''),
      escape: () => this.onInterrupt(),
      control: key => this.#control(key),
    })
    if (first) this.#waiting.push(first)
    process.on('exit', () => this.#close())
    process.on('SIGWINCH', () => this.#write(this.screen.redraw()))
    process.stdin.setRawMode(true)
    process.stdin.setEncoding('utf8')
    process.stdin.on('data', text => keyboard.feed(String(text)))
    process.stdin.on('error', () => this.#end())
    process.stdin.on('end', () => this.#end())
  }

  /** The terminal hung up, as when its session was killed. */
  get isGone(): boolean {
    return !isatty(0)
  }

  /** The next text that is submitted; undefined when claude is to leave. */
  async next(): Promise<string | undefined> {
    while (!this.#isOver && this.#waiting.length === 0)
      await new Promise<void>(wake => {
        this.#wake = wake
      })
    return this.#isOver ? undefined : this.#waiting.shift()
  }

  setBusy(isBusy: boolean): void {
    this.screen.isBusy = isBusy
    this.#write(this.screen.redraw())
  }

  #edit(text: string): void {
    this.screen.text = text
    this.screen.hint = ''
    this.#write(this.screen.redraw())
  }

  #enter(): void {
    const text = this.screen.text
    // A backslash before Enter makes a new line.
    const goesOn = text.endsWith('\\')
    this.#edit(goesOn ? `${text.slice(0, -1)}\n` : '')
    if (goesOn) return
    const command = text.trim()
    if (command === '') return
    this.#write(this.screen.print(`\n❯ ${command}`))
    if (command === '/exit' || command === '/quit') this.#end()
    else this.#waiting.push(text)
    this.#wake()
  }

  #control(key: 'c' | 'd'): void {
    const isSecond = performance.now() - this.#controlAt < twiceWithinMs
    const isEmpty = this.screen.text === ''
    const leaves = key === 'd' ? isEmpty : isSecond
    if (leaves) this.#end()
    if (leaves || key === 'd') return
    this.#controlAt = performance.now()
    if (this.screen.isBusy && isEmpty) this.onInterrupt()
    this.#edit('')
    this.screen.hint = 'Press Ctrl-C again to exit'
    this.#write(this.screen.redraw())
  }

  #end(): void {
    this.#isOver = true
    this.#wake()
    this.onEnd()
  }

  /** Called when claude is to leave, also in the middle of its work. */
  onEnd = (): void => {}

  #write(text: string): void {
    process.stdout.write(text)
  }

  #close(): void {
    try {
      writeSync(1, this.screen.leave())
    } catch {
      // The terminal is gone.
    }
  }
}
