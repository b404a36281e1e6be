import { execFileSync } from 'node:child_process'
import { executable, stream } from './claude.ts'
import { isAlive } from './proc.ts'
import { Traces } from './traces.ts'
import { until } from './until.ts'

/** One fake claude in a pane of a tmux server of its own, piped into tee, as orchestrators start it. */
export class Pane extends Traces {
  constructor(directive: string) {
    super()
    const claude = [executable, ...stream, this.prompt(directive)].map(quoted).join(' ')
    // Its last words are shown when something is waited for in vain.
    const command = `${claude} 2>${quoted(this.errors)} | tee ${quoted(`${this.folder}/log`)}`
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'agent', '-c', this.cwd, command)
    // Its only session is about to be killed; the server stays.
    this.#tmux('set-option', '-g', 'exit-empty', 'off')
  }

  async claude(): Promise<number> {
    return (await this.noted('started')).pid as number
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    process.kill(await this.claude(), signal)
    await this.ended()
  }

  async killSession(): Promise<void> {
    this.#tmux('kill-session', '-t', '=agent')
    await this.ended()
  }

  /** Waits until claude and its pane's shell are gone. */
  async ended(): Promise<void> {
    const pid = await this.claude()
    await until('claude is gone', () => !isAlive(pid))
    const sessions = () => this.#tmux('list-sessions', '-F', '#{session_name}').split('\n')
    await until('its session is gone', () => !sessions().includes('agent'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tmux('kill-server')
    await this.sweep()
  }

  #tmux(...words: string[]): string {
    const options = { cwd: this.cwd, env: this.environment, encoding: 'utf8' } as const
    return execFileSync('tmux', ['-L', 'rig', ...words], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
