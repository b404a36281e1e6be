import { defineSystem } from 'leakrig/config'

/** An orchestrator of two shell commands. */
export default defineSystem({
  name: 'shell',
  deploy: { run: '{project}/orchestrate start {prompt}', result: /started (?<session>\S+)/ },
  kill: { run: '{project}/orchestrate stop {session}' },
  completes: { exit: true }, // claude exits, and tmux ends the session with it
  keeps: [{ path: /\/logs\/agent-\d+\.jsonl$/, why: 'a user reads the log afterwards' }],
})
