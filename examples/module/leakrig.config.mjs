import { defineSystem } from 'leakrig/config'
import { Orchestrator } from './orchestrator.mjs'

const orchestrator = new Orchestrator()

/** An orchestrator that is a library: its functions run in one process inside the sandbox. */
export default defineSystem({
  name: 'module',
  tmux: false,
  deploy: ({ prompt }) => ({ id: orchestrator.run(prompt) }),
  kill: ({ id }) => orchestrator.cancel(id),
})
