import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { poll } from '../../poll.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

/** It is over when somebody says so. */
const until = 'until [ -e /tmp/leakrig/over ]; do sleep 0.1; done'

/** A reproduction without a terminal that has come to its end, and in which commands can be run, as by `leakrig shell -c`. */
export class HeldReproduction implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'leakrig-held-'))
  readonly #process: ReturnType<typeof start>
  /** What it has printed of its own: standard output is the command's. */
  text = ''

  private constructor(words: string[]) {
    mkdirSync(this.#runtime, { mode: 0o700 })
    this.#process = start(words, this.#runtime)
    this.#process.stderr.on('data', chunk => {
      this.text += chunk
    })
  }

  static async of(name: string, sandbox: string): Promise<HeldReproduction> {
    const one = new HeldReproduction([name, '--sandbox', sandbox])
    let hasEnded = false
    void one.#process.finally(() => {
      hasEnded = true
    })
    await poll(180_000, async () => hasEnded || one.text.includes(`\n$ ${until}\n`) || undefined)
    if (!hasEnded) return one
    throw new Error(`It was not held:\n${one.text}`)
  }

  /** The commands that its findings show. */
  get shown(): string[] {
    return [...new Set([...this.text.matchAll(/^ +\$ (.*)$/gm)].map(([, words = '']) => words))]
  }

  /** What a command prints in its sandbox. */
  async inside(command: string): Promise<string> {
    const env = { XDG_RUNTIME_DIR: this.#runtime }
    const { stdout } = await execa(process.execPath, [program, 'shell', '-c', command], { env })
    return stdout
  }

  get #runtime(): string {
    return join(this.#folder, 'run')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inside('touch /tmp/leakrig/over').catch(() => this.#process.kill())
    await this.#process
    rmSync(this.#folder, { recursive: true })
  }
}

const start = (words: string[], runtime: string) =>
  execa(process.execPath, [program, 'reproduce', ...words, '--verbose', '--then', until], {
    env: { XDG_RUNTIME_DIR: runtime },
    stdin: 'ignore',
    reject: false,
  })

/** Those of them that fail there, or print nothing. */
export async function failing(commands: string[], held: HeldReproduction): Promise<string> {
  const tries = commands.map(words => {
    const named = `'${words.replaceAll("'", `'\\''`)}'`
    return `( ${words} ) >/tmp/leakrig/out 2>&1 </dev/null && [ -s /tmp/leakrig/out ] || { echo ${named}; cat /tmp/leakrig/out; }`
  })
  return held.inside(tries.join('\n'))
}
