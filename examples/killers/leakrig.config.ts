import { defineSystem, type SystemDefinition } from 'leakrig/config'

/**
 * Two programs that kill processes, in the place of an orchestrator's kill: each agent is a tmux session whose pane runs
 * `claude | tee`, and the killer gets the pid of the pane's shell.
 */
const behind = (name: string, packageName: string): SystemDefinition => ({
  name,
  install: { run: `npm install --prefix "$LEAKRIG_INSTALL" --ignore-scripts ${packageName}` },
  deploy: {
    run: `
      id=agent-$(date +%s%N)
      mkdir -p logs
      tmux new-session -d -P -F '#{{session_name}} #{{pane_pid}}' -s "$id" -e LOG="logs/$id.jsonl" -e PROMPT={prompt} \\
        'claude --print --output-format stream-json --verbose --dangerously-skip-permissions "$PROMPT" | tee "$LOG"'`,
    result: /(?<session>\S+) (?<shell>\d+)/,
  },
  kill: { run: `node {install}/node_modules/${name}/cli.js {shell}` },
  completes: { exit: true }, // the session, which is ours, ends with its pane
  list: { run: "tmux list-sessions -F '#{{session_name}}' || true", each: /(?<id>\S+)/ },
  logs: { live: '{work}/logs/{session}.jsonl' },
  files: { 'stream log': /\/logs\/agent-\d+\.jsonl$/ },
  keeps: [{ path: /\/logs\/agent-\d+\.jsonl$/, why: 'the log is what a user reads afterwards' }],
})

export default defineSystem([behind('tree-kill', 'tree-kill@1.2.2'), behind('fkill-cli', 'fkill-cli@9.0.0')])
