import { randomUUID } from 'node:crypto'
import { startInBackground, subcommands } from './background/client.ts'
import { readInstructions } from './cli/directive.ts'
import { type Flags, readFlags } from './cli/flags.ts'
import { type Launch, takeLaunch } from './cli/launch.ts'
import { readPrompt } from './cli/prompt.ts'
import { refuse } from './cli/refuse.ts'
import { personas } from './personas/personas.ts'
import { onStart } from './personas/steps/on-start.ts'
import { BashTools } from './process/children/bash-tools.ts'
import { bashEnvironment, childEnvironment, hookEnvironment } from './process/children/environment.ts'
import { Hooks, settingsFiles } from './process/children/hooks.ts'
import type { Claude } from './process/claude.ts'
import { end } from './process/ending/ending.ts'
import { listen } from './process/ending/signals.ts'
import { readServerConfigs } from './process/mcp/config.ts'
import { Servers } from './process/mcp/servers.ts'
import { Events } from './process/output/events.ts'
import { Output } from './process/output/output.ts'
import { makeFiles } from './process/session/files.ts'
import { openJournal } from './process/session/journal.ts'
import { placesOf, sessionsOf } from './process/session/places.ts'
import { profiles } from './profiles.ts'
import { launcherConfigs } from './shapes/mcp-launcher.ts'
import { isSubcommand, runSubcommand } from './subcommands.ts'

/** Runs one claude, from its arguments to the last step of its persona. */
export async function run(argv: string[]): Promise<void> {
  const launch = takeLaunch()
  const [name = '', argument = ''] = argv
  if (Object.hasOwn(subcommands, name)) return subcommands[name]?.(argument)
  if (isSubcommand(name)) return runSubcommand(argv)
  const flags = readFlags(argv)
  if (flags.version)
    return console.log(`${profiles[readInstructions('').settings.profile].version} (Claude Code)`)
  if (flags.background) return startInBackground(flags)

  const cwd = process.cwd()
  // Before the prompt is read: if --mcp-config has swallowed it, the error must be about that.
  const configs = readServerConfigs(flags.mcpConfig, flags.strictMcpConfig, cwd)
  const { settings, from } = readInstructions(await readPrompt(flags), launch.orders)
  const profile = profiles[settings.profile]
  const sessionId = sessionFor(flags, cwd)
  const note = journal(settings.journal)
  if (profile.retitles) process.title = 'claude'
  note('started', {
    pid: process.pid,
    session_id: sessionId,
    profile: settings.profile,
    persona: settings.persona,
    directive: from,
    ...placeOf(launch),
  })

  const { version } = profile
  const places = placesOf(cwd, sessionId)
  const files = makeFiles(places, { sessionId, cwd, version })
  const { model } = flags
  const claude: Claude = {
    settings,
    flags,
    profile,
    sessionId,
    places,
    files,
    note,
    events: new Events({ sessionId, cwd, model, permissionMode: permissionMode(flags), version }),
    output: new Output(flags.outputFormat, places.transcript, note),
    servers: new Servers(note),
    bash: new BashTools(bashEnvironment(sessionId, places), files, places, note),
    hooks: new Hooks(
      settingsFiles(process.env.CLAUDE_CONFIG_DIR || places.claude, cwd),
      flags.settings,
      hookEnvironment(sessionId, places),
      note,
    ),
    answered: false,
    ending: false,
  }
  listen(profile, note, signal => end(claude, signal))

  const { servers, events, output } = claude
  const all = [...configs, ...launcherConfigs(settings)]
  await servers.start(all, childEnvironment(sessionId, places), places, version)
  await claude.hooks.run('SessionStart')
  await output.emit(events.init(servers.statuses, servers.tools))
  for (const step of [onStart, ...personas[settings.persona]]) await step(claude)
}

/** Where this claude is, so that the rig finds its pane. */
function placeOf({ path }: Launch): Record<string, unknown> {
  const { TMUX, TMUX_PANE } = process.env
  return { ppid: process.ppid, cwd: process.cwd(), path, TMUX, TMUX_PANE }
}

function sessionFor({ sessionId, resume, continue: latest }: Flags, cwd: string): string {
  const sessions = sessionsOf(cwd)
  if (typeof resume === 'string') {
    if (!sessions.includes(resume)) refuse(`No conversation found with session ID: ${resume}`)
    return resume
  }
  if (latest || resume) return sessions[0] ?? refuse('No conversation found to continue')
  return sessionId ?? randomUUID()
}

function permissionMode({ dangerouslySkipPermissions, permissionMode }: Flags): string {
  return dangerouslySkipPermissions ? 'bypassPermissions' : (permissionMode ?? 'default')
}

function journal(path: string | undefined) {
  try {
    return openJournal(path)
  } catch (error) {
    return refuse(`fake-claude: the journal '${path}' cannot be written: ${(error as Error).message}`)
  }
}
