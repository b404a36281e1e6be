import { defineSystem } from 'leakrig/config'

/** An orchestrator that is an MCP server. */
export default defineSystem({
  name: 'mcp',
  mcp: { command: ['node', '{project}/server.mjs'] },
  deploy: {
    tool: 'spawn',
    args: { prompt: '{prompt}' },
    result: { id: '/agent/name', session: '/agent/session' },
  },
  kill: { tool: 'stop', args: { name: '{id}' } },
  completes: { inside: { tool: 'done', args: { name: '{id}' } } },
  keeps: [{ path: /\/logs\/helper-[\d-]+\.jsonl$/, why: 'a user reads the log afterwards' }],
})
