import { defineSystem } from 'leakrig/config'

/** An orchestrator that is a library, and runs claude as a child process without tmux. */
export default defineSystem({
  name: 'module',
  tmux: false,
  deploy: { module: './orchestrator.mjs', export: 'start' },
  kill: { module: './orchestrator.mjs', export: 'stop' },
  completes: { exit: true }, // claude's exit removes the agent
})
