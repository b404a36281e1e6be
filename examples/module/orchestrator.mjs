// A small orchestrator: two functions that run claude as a child process, without tmux.
import { spawn } from 'node:child_process'

const agents = new Map()

/** Starts an agent. */
export function start({ prompt }) {
  const claude = spawn('claude', ['--print', '--output-format', 'json'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  claude.stdin.end(prompt)
  const id = `run-${claude.pid}`
  agents.set(id, claude)
  claude.once('exit', () => agents.delete(id))
  return { id }
}

/** Ends an agent's claude, and waits for that. */
export async function stop({ id }) {
  const claude = agents.get(id)
  if (!claude) throw new Error(`no agent ${id} runs`)
  const ended = new Promise(resolve => claude.once('exit', resolve))
  claude.kill('SIGTERM')
  await ended
}
