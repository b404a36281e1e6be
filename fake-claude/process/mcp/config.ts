import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { refuse } from '../../cli/refuse.ts'

export interface ServerConfig {
  name: string
  source: 'dynamic' | 'project' | 'user' | 'local'
  command: string | undefined
  args: string[]
  env: Record<string, string>
}

export interface Entry {
  type?: string
  command?: string
  args?: string[]
  env?: Record<string, string>
}

/**
 * The MCP servers of `--mcp-config` (JSON texts and files), of the working directory's .mcp.json, and of `claude mcp add`
 * (~/.claude.json).
 */
export function readServerConfigs(configs: string[], strict: boolean, cwd: string): ServerConfig[] {
  const servers = new Map<string, ServerConfig>()
  if (!strict) {
    const user = userConfig()
    add(servers, user, 'user')
    add(servers, projectConfig(cwd), 'project')
    add(servers, user.projects?.[cwd] ?? {}, 'local')
  }
  for (const config of configs) add(servers, givenConfig(config), 'dynamic')
  return [...servers.values()]
}

function add(servers: Map<string, ServerConfig>, config: unknown, source: ServerConfig['source']): void {
  const entries = (config as { mcpServers?: Record<string, Entry> }).mcpServers ?? {}
  for (const [name, entry] of Object.entries(entries)) {
    const isStdio = (entry.type ?? 'stdio') === 'stdio'
    const env = Object.entries(entry.env ?? {}).map(([key, value]) => [key, expanded(value)])
    servers.set(name, {
      name,
      source,
      command: isStdio && entry.command ? expanded(entry.command) : undefined,
      args: (entry.args ?? []).map(expanded),
      env: Object.fromEntries(env),
    })
  }
}

/** What ~/.claude.json has of servers: the user's, and those of single folders. */
export interface UserConfig {
  mcpServers?: Record<string, Entry>
  projects?: Record<string, { mcpServers?: Record<string, Entry> }>
}

export const userConfigFile = (): string => join(homedir(), '.claude.json')

export function userConfig(): UserConfig {
  try {
    return JSON.parse(readFileSync(userConfigFile(), 'utf8'))
  } catch {
    return {}
  }
}

function projectConfig(cwd: string): unknown {
  try {
    return JSON.parse(readFileSync(join(cwd, '.mcp.json'), 'utf8'))
  } catch {
    return {}
  }
}

function givenConfig(config: string): unknown {
  const isText = config.trimStart().startsWith('{')
  const text = isText ? config : readConfigFile(config)
  try {
    const parsed = JSON.parse(text)
    if (typeof parsed.mcpServers === 'object' && parsed.mcpServers) return parsed
  } catch {
    // Invalid JSON and JSON of another shape are reported in the same way.
  }
  const where = isText ? 'the text given' : `the file ${config}`
  return refuse(`Error: Invalid MCP configuration: ${where} is not JSON of the shape {"mcpServers": {...}}`)
}

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return refuse(`Error: Invalid MCP configuration: MCP config file not found: ${path}`)
  }
}

// ${NAME} and ${NAME:-otherwise}, as .mcp.json may have them.
function expanded(text: string): string {
  return text.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (whole, name, otherwise) => {
    return process.env[name] ?? otherwise ?? whole
  })
}
