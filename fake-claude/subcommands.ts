import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { refuse } from './cli/refuse.ts'
import {
  type Entry,
  readServerConfigs,
  type ServerConfig,
  type UserConfig,
  userConfig,
  userConfigFile,
} from './process/mcp/config.ts'
import { Servers } from './process/mcp/servers.ts'
import { placesOf } from './process/session/places.ts'
import { profiles } from './profiles.ts'

const { version } = profiles.current

/** Subcommands that need no session. Their answers are our words; their exit codes are those of 2.1.332 without a network. */
const answers: Record<string, [answer: string, code: number]> = {
  config: [
    '"config" is not a command of Claude Code: type /config in a session, or open your settings files.',
    0,
  ],
  doctor: [`Claude Code doctor\n\nRunning: npm-global (${version})\n\nNo installation issues found.`, 0],
  update: [
    `Current version: ${version}\nChecking for updates to latest version…\nCouldn't check for updates`,
    1,
  ],
  upgrade: [
    `Current version: ${version}\nChecking for updates to latest version…\nCouldn't check for updates`,
    1,
  ],
  install: ['Error: the native build cannot be downloaded', 1],
  auth: [JSON.stringify({ loggedIn: false, authMethod: 'none', apiProvider: 'firstParty' }, null, 2), 1],
  'setup-token': ['Error: setup-token needs an interactive terminal', 1],
  plugin: ['No plugins installed.', 0],
  plugins: ['No plugins installed.', 0],
}

export const isSubcommand = (name: string): boolean => name === 'mcp' || Object.hasOwn(answers, name)

export async function runSubcommand([name = '', ...words]: string[]): Promise<void> {
  if (name === 'mcp') return runMcp(words)
  const [answer, code] = answers[name] ?? ['', 1]
  console.log(answer)
  process.exitCode = code
}

interface AddOptions {
  scope: 'local' | 'user' | 'project'
  env?: string[]
}

async function runMcp(words: string[]): Promise<void> {
  const program = new Command('claude mcp').description('Configure and manage MCP servers')
  program.command('list').action(list)
  program.command('get <name>').action(get)
  program
    .command('add <name> <commandOrUrl> [args...]')
    .option('-s, --scope <scope>', 'local, user, or project', 'local')
    .option('-e, --env <env...>')
    .option('-t, --transport <transport>')

    .action((name: string, command: string, args: string[], { scope, env = [] }: AddOptions) => {
      const pairs = env.map(pair => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)])
      add(name, { type: 'stdio', command, args, env: Object.fromEntries(pairs) }, scope)
      console.log(
        `Added stdio MCP server ${name} with command: ${[command, ...args].join(' ')} to ${scope} config`,
      )
    })
  program
    .command('add-json <name> <json>')
    .option('-s, --scope <scope>', 'local, user, or project', 'local')
    .action((name: string, json: string, { scope }: AddOptions) => {
      add(name, parsed(json), scope)
      console.log(`Added MCP server ${name} to ${scope} config`)
    })
  program.command('remove <name>').option('-s, --scope <scope>').action(remove)
  await program.parseAsync(words, { from: 'user' })
}

async function list(): Promise<void> {
  const configs = readServerConfigs([], false, process.cwd())
  if (configs.length === 0)
    return console.log('No MCP servers configured. Use `claude mcp add` to add a server.')
  console.log('Checking MCP server health…\n')
  const states = await health(configs)
  for (const { name, command = '', args } of configs)
    console.log(`${name}: ${[command, ...args].join(' ')} - ${states.get(name)}`)
}

async function get(name: string): Promise<void> {
  const config = readServerConfigs([], false, process.cwd()).find(one => one.name === name)
  if (!config) return refuse(`No MCP server named "${name}". Run \`claude mcp add\` to add one.`)
  const state = (await health([config])).get(name)
  const { source, command, args } = config
  console.log(
    `${name}:\n  Scope: ${source}\n  Status: ${state}\n  Type: stdio\n  Command: ${command}\n  Args: ${args.join(' ')}`,
  )
}

/** Starts the servers as a session does, and ends them. */
async function health(configs: ServerConfig[]): Promise<Map<string, string>> {
  const servers = new Servers(() => {})
  await servers.start(configs, process.env, placesOf(process.cwd(), 'none'), version)
  for (const child of servers.children) child.kill('SIGKILL')
  return new Map(
    servers.statuses.map(({ name, status }) => [
      name,
      status === 'connected' ? '✔ Connected' : '✘ Failed to connect',
    ]),
  )
}

function parsed(json: string): Entry {
  try {
    const entry: Entry & { url?: string } = JSON.parse(json)
    if (entry.command || entry.url) return entry
  } catch {
    // Reported below.
  }
  return refuse('Invalid configuration: it needs a "command", or a "type" and a "url".')
}

function add(name: string, entry: Entry, scope: AddOptions['scope']): void {
  change(scope, servers => ({ ...servers, [name]: entry }))
}

function remove(name: string): void {
  const { mcpServers, projects } = userConfig()
  const isLocal = Object.hasOwn(projects?.[process.cwd()]?.mcpServers ?? {}, name)
  if (!isLocal && !Object.hasOwn(mcpServers ?? {}, name))
    refuse(`No MCP server named "${name}" in user or local config`)
  const scope = isLocal ? 'local' : 'user'
  change(scope, ({ [name]: _, ...others }) => others)
  console.log(`Removed MCP server "${name}" from ${scope} config`)
}

type EntriesByName = Record<string, Entry>

function change(scope: AddOptions['scope'], edit: (servers: EntriesByName) => EntriesByName): void {
  const cwd = process.cwd()
  if (scope === 'project') {
    const servers = Object.fromEntries(
      readServerConfigs([], false, cwd)
        .filter(({ source }) => source === 'project')
        .map(({ name, command, args, env }) => [
          name,
          { type: 'stdio', args, env, ...(command && { command }) },
        ]),
    )
    writeFileSync('.mcp.json', JSON.stringify({ mcpServers: edit(servers) }, null, 2))
    return
  }
  const config = userConfig()
  const owner: UserConfig = scope === 'user' ? config : ownerOf(config, cwd)
  owner.mcpServers = edit(owner.mcpServers ?? {})
  writeFileSync(userConfigFile(), JSON.stringify(config, null, 2))
}

function ownerOf(config: UserConfig, cwd: string): UserConfig {
  config.projects ??= {}
  config.projects[cwd] ??= {}
  return config.projects[cwd]
}
