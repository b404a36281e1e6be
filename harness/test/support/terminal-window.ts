import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guard } from '../../../test/guard.ts'
import { poll } from '../../poll.ts'

const size = { columns: 100, rows: 50 }

/** A terminal with a person in front of it: a pane of a tmux server of its own, which ends with the test. */
export class TerminalWindow implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'leakrig-terminal-'))
  /** The state folder of whatever runs in it. */
  readonly runtime = join(this.folder, 'run')
  readonly #guard = guard('LEAKRIG_TEST_FOLDER', this.folder)
  readonly #environment: NodeJS.ProcessEnv

  constructor() {
    mkdirSync(this.runtime, { mode: 0o700 })
    const { TMUX: _, TMUX_PANE: __, ...inherited } = process.env
    const own = { LEAKRIG_TEST_FOLDER: this.folder, XDG_RUNTIME_DIR: this.runtime, TMUX_TMPDIR: this.folder }
    this.#environment = { ...inherited, ...own, SHELL: '/bin/sh', PS1: '> ' }
    // With two words tmux starts it without another shell around it.
    const window = ['-x', String(size.columns), '-y', String(size.rows)]
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'window', ...window, 'sh', '-i')
    this.#tmux('set-option', '-g', 'history-limit', '5000')
  }

  /** The process in its pane: a shell. */
  get pid(): number {
    return Number(this.#tmux('display-message', '-p', '-t', 'window', '#{pane_pid}'))
  }

  /** What it shows, with what has scrolled out of it, without spaces at the ends of lines. */
  get text(): string {
    return this.#tmux('capture-pane', '-p', '-J', '-S', '-', '-t', 'window').replaceAll(/ +$/gm, '').trimEnd()
  }

  type(line: string): void {
    this.#tmux('send-keys', '-t', 'window', '-l', line)
    this.press('Enter')
  }

  press(...keys: string[]): void {
    this.#tmux('send-keys', '-t', 'window', ...keys)
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-t', 'window', '-x', String(columns), '-y', String(rows))
  }

  /** Waits until the text matches. @throws with the text */
  async shows(pattern: RegExp, withinMs = 60_000): Promise<RegExpExecArray> {
    const found = await poll(withinMs, async () => pattern.exec(this.text) ?? undefined)
    if (found) return found
    throw new Error(`The terminal does not show ${pattern}:\n${this.text}`)
  }

  /** Somebody closes the window: its process gets SIGHUP. */
  close(): void {
    this.#tmux('kill-server')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard.cleanUp()
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', 'window', ...args], { env: this.#environment, encoding: 'utf8' })
  }
}
