import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import type { ServerStatus } from '../output/events.ts'
import type { Note } from '../session/journal.ts'
import type { Places } from '../session/places.ts'
import type { ServerConfig } from './config.ts'

/** How long a server may take to answer, ms. The variable is the real claude's. */
const answerWithinMs = Number(process.env.MCP_TIMEOUT) || 30_000

interface Server {
  config: ServerConfig
  child: ChildProcessWithoutNullStreams | undefined
  client: Client | undefined
  tools: string[]
}

export interface Answer {
  text: string
  isError: boolean
  /** False where the server gave none: it failed, or was ended. */
  isAnswer?: boolean
}

/** The MCP servers of one claude: its direct children, in its own process group and on its own terminal. */
export class Servers {
  /** The number of calls without an answer yet. */
  unanswered = 0
  readonly #servers: Server[] = []
  readonly #note: Note

  constructor(note: Note) {
    this.#note = note
  }

  async start(
    configs: ServerConfig[],
    env: NodeJS.ProcessEnv,
    places: Places,
    version: string,
  ): Promise<void> {
    const started = configs.map(config => startServer(config, env, places, this.#note))
    this.#servers.push(...started)
    // The client takes longest to load, so it is loaded only when there is a server, and while the servers start.
    await Promise.all(started.map(server => connect(server, version)))
  }

  get children(): ChildProcessWithoutNullStreams[] {
    const children = this.#servers.map(server => server.child)
    return children.filter(
      child => child?.pid !== undefined && child.exitCode === null && child.signalCode === null,
    ) as ChildProcessWithoutNullStreams[]
  }

  /** The direct child that was started for a server. */
  pidOf(name: string): number | undefined {
    return this.#servers.find(({ config }) => config.name === name)?.child?.pid
  }

  get statuses(): ServerStatus[] {
    return this.#servers.map(({ config: { name, source }, client }) => ({
      name,
      status: client ? 'connected' : 'failed',
      source,
    }))
  }

  get tools(): string[] {
    return this.#servers.flatMap(({ config, tools }) => tools.map(tool => `mcp__${config.name}__${tool}`))
  }

  /** The full name of a tool, of whichever server offers it. */
  offered(tool: string): string | undefined {
    const server = this.#serverWith(tool)
    return server && `mcp__${server.config.name}__${tool}`
  }

  /** Calls a tool. A server that fails or is killed during the call counts as an error answer: claude goes on. */
  async call(tool: string, input: Record<string, unknown>): Promise<Answer> {
    this.#note('call', { tool, arguments: input })
    this.unanswered += 1
    const answer = await this.#request(tool, input).catch(
      (error): Answer => ({ text: String(error), isError: true, isAnswer: false }),
    )
    this.unanswered -= 1
    this.#note('answer', { tool, is_error: answer.isError })
    return answer
  }

  async #request(tool: string, input: Record<string, unknown>): Promise<Answer> {
    const client = this.#serverWith(tool)?.client
    if (!client) throw new Error(`no MCP server offers ${tool}`)
    const { content, isError } = await client.callTool({ name: tool, arguments: input })
    const texts = content.map(block => (block.type === 'text' ? block.text : `[${block.type}]`))
    return { text: texts.join('\n'), isError: isError ?? false }
  }

  #serverWith(tool: string): Server | undefined {
    return this.#servers.find(server => server.tools.includes(tool))
  }
}

function startServer(config: ServerConfig, env: NodeJS.ProcessEnv, places: Places, note: Note): Server {
  const server: Server = { config, child: undefined, client: undefined, tools: [] }
  if (config.command === undefined) return server
  const folder = join(places.mcpLogs, `mcp-logs-${config.name}`)
  const log = join(folder, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.jsonl`)
  mkdirSync(folder, { recursive: true })
  appendFileSync(log, `${JSON.stringify({ debug: `Starting ${config.command}`, cwd: process.cwd() })}\n`)

  const environment = { ...env, CLAUDE_PROJECT_DIR: process.cwd(), ...config.env }
  const child = spawn(config.command, config.args, { env: environment, stdio: 'pipe' })
  child.on('error', error => appendFileSync(log, `${JSON.stringify({ error: error.message })}\n`))
  child.stdin.on('error', () => {})
  child.stderr.on('data', chunk => appendFileSync(log, `${JSON.stringify({ error: String(chunk) })}\n`))
  if (child.pid !== undefined) note('child', { role: 'mcp', pid: child.pid, name: config.name })
  return { ...server, child }
}

async function connect(server: Server, version: string): Promise<void> {
  if (server.child?.pid === undefined) return
  const { Client } = await import('@modelcontextprotocol/client')
  const { ChildTransport } = await import('./transport.ts')
  const client = new Client({ name: 'claude-code', version })
  try {
    await client.connect(new ChildTransport(server.child), { timeout: answerWithinMs })
    const { tools } = await client.listTools(undefined, { timeout: answerWithinMs })
    server.tools = tools.map(tool => tool.name)
    server.client = client
  } catch {
    // The init event lists it as `failed`, and it stays claude's child.
  }
}
