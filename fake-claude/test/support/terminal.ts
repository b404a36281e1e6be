import { execFileSync } from 'node:child_process'
import { executable } from './claude.ts'
import { facts, isAlive } from './proc.ts'
import { Traces } from './traces.ts'
import { until } from './until.ts'

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** One interactive fake claude as the process of a pane, on a tmux server of its own. */
export class Terminal extends Traces {
  constructor({ args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {}) {
    super()
    const variables = Object.entries({ IS_SANDBOX: '1', ...env }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ])
    const command = `exec ${[executable, '--dangerously-skip-permissions', ...args].map(quoted).join(' ')}`
    const size = ['-x', '80', '-y', '40']
    this.tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-s',
      'agent',
      ...size,
      ...variables,
      '-c',
      this.cwd,
      command,
    )
    this.tmux('set-option', '-g', 'exit-empty', 'off')
    this.tmux('set-option', '-g', 'remain-on-exit', 'on')
  }

  get pid(): number {
    return Number(this.tmux('display-message', '-p', '-t', 'agent', '#{pane_pid}'))
  }

  get screen(): string {
    return this.tmux('capture-pane', '-p', '-t', 'agent')
  }

  /** Waits for the prompt box, with nothing typed in it. */
  async ready(): Promise<void> {
    await until('the prompt box is there', () => /─\n❯ *\n─+\n {2}\? for shortcuts/.test(this.screen))
  }

  shows(text: string): Promise<boolean> {
    return until(`the screen has '${text}': ${this.screen}`, () => this.screen.includes(text))
  }

  keys(...keys: string[]): void {
    this.tmux('send-keys', '-t', 'agent', ...keys)
  }

  paste(text: string, ...options: string[]): void {
    execFileSync('tmux', ['-L', 'rig', 'load-buffer', '-'], { env: this.environment, input: text })
    this.tmux('paste-buffer', ...options, '-t', 'agent')
  }

  /**
   * Waits for its end, and returns its exit code by its journal, because tmux 3.3 now and then has none for a pane whose
   * process has ended. Where tmux has one, it must be the same.
   */
  async exitCode(): Promise<unknown> {
    const { pid } = this
    const { code } = await this.noted('ended')
    await until('claude is gone', () => !isAlive(pid))
    const status = this.tmux('list-panes', '-t', 'agent', '-F', '#{pane_dead_status}').trim()
    return status === '' || Number(status) === code ? code : `${status}, but the journal has ${code}`
  }

  async killSession(): Promise<void> {
    const { pid } = this
    this.tmux('kill-session', '-t', '=agent')
    await until('claude is gone', () => !isAlive(pid))
  }

  /** What ps shows of claude. */
  get claude() {
    return facts(this.pid)
  }

  tmux(...words: string[]): string {
    const options = { cwd: this.cwd, env: this.environment, encoding: 'utf8' } as const
    return execFileSync('tmux', ['-L', 'rig', ...words], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.tmux('kill-server')
    await this.sweep()
  }
}
