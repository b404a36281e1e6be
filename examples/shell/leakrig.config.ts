import { defineSystem } from 'leakrig/config'

/** An orchestrator of two shell commands: agents are tmux sessions, and a kill ends the session. */
export default defineSystem({
  name: 'shell',
  deploy: {
    run: `
      id=agent-$(date +%s%N)
      mkdir -p logs
      tmux new-session -d -s "$id" -e LOG="logs/$id.jsonl" -e PROMPT={prompt} \\
        'claude --print --output-format stream-json --verbose --dangerously-skip-permissions "$PROMPT" | tee "$LOG"'
      echo "started $id"`,
    result: /started (?<session>\S+)/,
  },
  kill: { run: 'tmux kill-session -t ={session}:' },
  logs: { live: '{work}/logs/{session}.jsonl' },
  files: { 'stream log': /\/logs\/agent-\d+\.jsonl$/ },
  keeps: [{ path: /\/logs\/agent-\d+\.jsonl$/, why: 'the log is what a user reads afterwards' }],
})
