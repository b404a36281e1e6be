import type { Event } from '../process/output/events.ts'

/** The most lines of typed text that are shown. */
const shownLines = 8

/** What a person sees: the conversation, which scrolls, and the prompt box below it, which is drawn anew each time. */
export class Screen {
  text = ''
  isBusy = false
  hint = ''
  #drawn = 0
  readonly #columns: () => number

  constructor(columns: () => number) {
    this.#columns = columns
  }

  welcome(version: string, cwd: string): string {
    const setUp = '\x1b[?2004h\x1b[?25l'
    return `${setUp}${this.print(`✻ Welcome to Claude Code v${version}\n  cwd: ${cwd}\n`)}`
  }

  /** Lines of the conversation, with the box below. */
  print(text: string): string {
    return `${this.#erase()}${text.replaceAll('\n', '\r\n')}\r\n${this.#box()}`
  }

  redraw(): string {
    return this.#erase() + this.#box()
  }

  /** Removes the box, and gives the terminal back. */
  leave(): string {
    return `${this.#erase()}\x1b[?2004l\x1b[?25h`
  }

  /** An event as a person sees it; empty for one that shows nothing. */
  show(event: Event): string {
    const blocks = (event.message as { content?: Block[] } | undefined)?.content ?? []
    const lines = blocks.map(line).filter(text => text !== '')
    return lines.length === 0 ? '' : this.print(lines.join('\n'))
  }

  #erase(): string {
    const up = this.#drawn > 1 ? `\x1b[${this.#drawn - 1}A` : ''
    const code = this.#drawn > 0 ? `\r${up}\x1b[J` : ''
    this.#drawn = 0
    return code
  }

  #box(): string {
    const width = Math.max(20, this.#columns() - 1)
    const wrapped = this.text.split('\n').flatMap(one => pieces(one, width - 2))
    const typed = wrapped.slice(-shownLines).map((one, at) => `${at === 0 ? '❯' : ' '} ${one}`)
    const rule = '─'.repeat(width)
    const below = this.hint || (this.isBusy ? '✻ Working… (esc to interrupt)' : '? for shortcuts')
    const lines = [rule, ...typed, rule, `  ${below}`]
    this.#drawn = lines.length
    return lines.join('\r\n')
  }
}

interface Block {
  type: string
  text?: string
  name?: string
  input?: Record<string, unknown>
  content?: string
}

function line({ type, text = '', name = '', input = {}, content = '' }: Block): string {
  if (type === 'text') return `● ${text}`
  if (type === 'tool_use') return `● ${name}(${String(input.command ?? Object.values(input)[0] ?? '')})`
  return type === 'tool_result' ? `  ⎿  ${content.trim() || '(No content)'}` : ''
}

function pieces(text: string, width: number): string[] {
  const all: string[] = []
  for (let at = 0; at < text.length || at === 0; at += width) all.push(text.slice(at, at + width))
  return all
}
