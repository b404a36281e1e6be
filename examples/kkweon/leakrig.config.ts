import { defineSystem } from 'leakrig/config'

/** An MCP server that types `gemini ...` into a new pane for each agent. */
export default defineSystem({
  name: '@kkweon/agent-orchestrator-mcp',
  install: {
    run: 'npm install --prefix "$LEAKRIG_INSTALL" --ignore-scripts @kkweon/agent-orchestrator-mcp@1.4.3',
  },
  mcp: { command: ['node', '{install}/node_modules/@kkweon/agent-orchestrator-mcp/dist/index.js'] },
  tmux: 'pane',
  prepare: [
    {
      // The fake claude plays gemini. A login shell in the pane resets the PATH, and then reads this profile.
      run: `
        mkdir -p {home}/bin
        echo 'PATH=$HOME/bin:$PATH' >{home}/.bash_profile
        printf '%s\\n' '#!/bin/bash' 'exec claude --model "$2" --dangerously-skip-permissions "\${@:3}"' >{home}/bin/gemini
        chmod +x {home}/bin/gemini`,
    },
    // The first agent would make this session, and the system keeps it for the next ones.
    { run: 'tmux new-session -d -s openclaw-agents -x 800 -y 600' },
  ],
  deploy: {
    tool: 'agent_create',
    args: { name: 'worker', role: '{prompt}' },
    result: /"id":"(?<id>[^"]+)".*"tmuxPaneId":"[^"]*(?<pane>%\d+)"/,
  },
  kill: { tool: 'agent_delete', args: { agent_id: '{id}' } },
  list: { tool: 'agent_list', each: /"id":"(?<id>[^"]+)"/ },
  // Each pane is half of the one before.
  maxAgents: 9,
  files: { prompt: /\/agents\/[^/]+\/inception\.txt$/, state: /\/agents\/[^/]+\/(meta\.json|inbox\.jsonl)$/ },
})
