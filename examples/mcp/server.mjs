// A small orchestrator: an MCP server on stdio with the tools spawn, stop and done. Each agent is a tmux session.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'

const tmux = (...args) => execFileSync('tmux', args, { encoding: 'utf8' }).trim()
let count = 0

const tools = {
  spawn({ prompt }) {
    count += 1
    const agent = `helper-${process.pid}-${count}`
    mkdirSync('logs', { recursive: true })
    const config = JSON.stringify({
      mcpServers: { orchestrator: { command: process.execPath, args: process.argv.slice(1) } },
    })
    const claude = 'claude --print --output-format stream-json --verbose --dangerously-skip-permissions'
    const pipeline = `${claude} --mcp-config "$CONFIG" -- "$PROMPT" | tee "logs/${agent}.jsonl"`
    tmux('new-session', '-d', '-s', agent, '-e', `CONFIG=${config}`, '-e', `PROMPT=${prompt}`, pipeline)
    return { agent: { name: agent, session: agent } }
  },
  stop({ name }) {
    tmux('kill-session', '-t', `=${name}:`)
    return { stopped: name }
  },
  done({ name }) {
    // From inside the agent, this ends the session in which the caller runs.
    tmux('kill-session', '-t', `=${name}:`)
    return { done: name }
  },
}

const schema = { type: 'object', additionalProperties: true }
const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'example', version: '1' },
  }),
  'tools/list': () => ({ tools: Object.keys(tools).map(name => ({ name, inputSchema: schema })) }),
  'tools/call': ({ name, arguments: input }) => {
    try {
      return { content: [{ type: 'text', text: JSON.stringify(tools[name](input)) }] }
    } catch (error) {
      return { isError: true, content: [{ type: 'text', text: String(error.message) }] }
    }
  },
}

createInterface({ input: process.stdin }).on('line', line => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  const answer = answers[method]
  const body = answer ? { result: answer(params) } : { error: { code: -32601, message: `no ${method}` } }
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...body }))
})
