/** What a person or an orchestrator does in the pane. */
export interface Keys {
  insert(text: string): void
  enter(): void
  erase(): void
  clear(): void
  escape(): void
  control(key: 'c' | 'd'): void
}

const pasteBegins = '\x1b[200~'
const pasteEnds = '\x1b[201~'

/**
 * About what a terminal passes on at once. A chunk of this size that ends with a carriage return is a part of a paste that was
 * split there, in bytes.
 */
const fullChunk = 4000

/**
 * Parses what the terminal sends. Inside a bracketed paste, and in a chunk that goes on after it (a paste without brackets, as
 * of `tmux paste-buffer` without -p), a carriage return is a new line; at the end of a chunk it is the key Enter.
 */
export class Keyboard {
  readonly #keys: Keys
  #isPasting = false
  #kept = ''

  constructor(keys: Keys) {
    this.#keys = keys
  }

  feed(chunk: string): void {
    let rest = this.#kept + chunk
    this.#kept = ''
    while (rest) {
      const used = this.#isPasting ? this.#paste(rest) : this.#key(rest, chunk.length)
      if (used === 0) {
        this.#kept = rest
        return
      }
      rest = rest.slice(used)
    }
  }

  #paste(rest: string): number {
    const end = rest.indexOf(pasteEnds)
    this.#isPasting = end < 0
    if (end >= 0) {
      this.#insert(rest.slice(0, end))
      return end + pasteEnds.length
    }
    const whole = rest.length - begunAtEnd(rest, pasteEnds)
    this.#insert(rest.slice(0, whole))
    return whole
  }

  #key(rest: string, chunkLength: number): number {
    if (rest.startsWith(pasteBegins)) {
      this.#isPasting = true
      return pasteBegins.length
    }
    if (rest.length > 1 && pasteBegins.startsWith(rest)) return 0
    const sequence = /^\x1b(?:\[[0-9;?<]*[@-~]|O.)/.exec(rest)?.[0]
    if (sequence) return sequence.length
    const text = /^[^\x00-\x1f\x7f]+/.exec(rest)?.[0]
    if (text) this.#keys.insert(text)
    if (text) return text.length
    if (rest.startsWith('\x1b\r')) this.#keys.insert('\n')
    else if (rest === '\x1b') this.#keys.escape()
    if (rest.startsWith('\x1b')) return Math.min(rest.length, 2)
    this.#control(rest.charAt(0), rest.length === 1 && chunkLength < fullChunk)
    return 1
  }

  #control(key: string, isLast: boolean): void {
    if (key === '\r' && isLast) this.#keys.enter()
    else if (key === '\r' || key === '\n') this.#keys.insert('\n')
    else if (key === '\x7f' || key === '\b') this.#keys.erase()
    else if (key === '\x15') this.#keys.clear()
    else if (key === '\x03') this.#keys.control('c')
    else if (key === '\x04') this.#keys.control('d')
  }

  #insert(pasted: string): void {
    if (pasted) this.#keys.insert(pasted.replaceAll(/\r\n?/g, '\n'))
  }
}

/** How many characters at the end of a text begin the marker. */
function begunAtEnd(text: string, marker: string): number {
  for (let length = marker.length - 1; length > 0; length -= 1)
    if (text.endsWith(marker.slice(0, length))) return length
  return 0
}
