// A small orchestrator: a class that runs claude as a child process, without tmux.
import { spawn } from 'node:child_process'

export class Orchestrator {
  #agents = new Map()

  /** Starts an agent and returns its id. */
  run(prompt) {
    const claude = spawn('claude', ['--print', '--output-format', 'json'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    claude.stdin.end(prompt)
    const id = `run-${claude.pid}`
    this.#agents.set(id, claude)
    claude.once('exit', () => this.#agents.delete(id))
    return id
  }

  /** Ends an agent's claude, and waits for that. */
  async cancel(id) {
    const claude = this.#agents.get(id)
    if (!claude) throw new Error(`no agent ${id} runs`)
    const ended = new Promise(resolve => claude.once('exit', resolve))
    claude.kill('SIGTERM')
    await ended
  }
}
