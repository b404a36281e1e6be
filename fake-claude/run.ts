import { randomUUID } from 'node:crypto'
import { startInBackground, subcommands } from './background/client.ts'
import { type Instructions, readInstructions } from './cli/directive.ts'
import { type Flags, isInteractive, readFlags } from './cli/flags.ts'
import { type Launch, takeLaunch } from './cli/launch.ts'
import { readPrompt } from './cli/prompt.ts'
import { refuse } from './cli/refuse.ts'
import type { Settings } from './cli/settings.ts'
import { answerControl, interrupt } from './interactive/control.ts'
import { converse } from './interactive/converse.ts'
import { Pane } from './interactive/pane.ts'
import { StreamInput } from './interactive/stream-input.ts'
import { personas } from './personas/personas.ts'
import { onStart } from './personas/steps/on-start.ts'
import { rest } from './personas/steps/rest.ts'
import { BashTools } from './process/children/bash-tools.ts'
import { bashEnvironment, childEnvironment, hookEnvironment } from './process/children/environment.ts'
import { Hooks, settingsFiles } from './process/children/hooks.ts'
import type { Claude } from './process/claude.ts'
import { end } from './process/ending/ending.ts'
import { type Handled, listen } from './process/ending/signals.ts'
import { readServerConfigs, type ServerConfig } from './process/mcp/config.ts'
import { Servers } from './process/mcp/servers.ts'
import { Events } from './process/output/events.ts'
import { Output } from './process/output/output.ts'
import { makeFiles } from './process/session/files.ts'
import { LateJournal, type Note, openJournal } from './process/session/journal.ts'
import { placesOf, sessionsOf } from './process/session/places.ts'
import { hungUp, interactive, profiles } from './profiles.ts'
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

  // Before the prompt is read: if --mcp-config has swallowed it, the error must be about that.
  const configs = readServerConfigs(flags.mcpConfig, flags.strictMcpConfig, process.cwd())
  if (isInteractive(flags)) return runInPane(flags, configs, launch)
  if (flags.inputFormat === 'stream-json') return runStream(flags, configs, launch)

  const instructions = readInstructions(await readPrompt(flags), launch.orders)
  const note = journal(() => openJournal(instructions.settings.journal))
  const claude = makeClaude(flags, instructions.settings, note, flags.outputFormat)
  noteStart(claude, instructions, launch)
  await start(claude, [...configs, ...launcherConfigs(claude.settings)])
  await claude.hooks.run('UserPromptSubmit')
  await claude.output.emit(claude.events.init(claude.servers.statuses, claude.servers.tools))
  for (const step of [onStart, ...personas[claude.settings.persona]]) await step(claude)
}

/** In a terminal: each text that is submitted is a prompt. */
async function runInPane(flags: Flags, configs: ServerConfig[], launch: Launch): Promise<void> {
  const pane = new Pane()
  const { screen } = pane
  const late = new LateJournal()
  const claude = makeClaude(
    flags,
    readInstructions('').settings,
    late.note,
    event => screen.show(event),
    () => true,
  )
  claude.profile = interactive(claude.profile)
  pane.onInterrupt = () => interrupt(claude)
  pane.onEnd = () => {
    if (pane.isGone) claude.profile = hungUp(claude.profile)
    void end(claude, 'exit')
  }
  process.stdout.write(screen.welcome(claude.profile.version, process.cwd()))
  pane.open(flags.prompt)
  await start(claude, configs, signal =>
    signal === 'SIGHUP' && pane.isGone ? pane.onEnd() : end(claude, signal),
  )
  await converse(claude, pane, launch.orders, async instructions => {
    await begin(claude, instructions, late, launch)
    claude.profile = interactive(claude.profile)
  })
}

/** With messages on stdin, as the Agent SDK starts it. */
async function runStream(flags: Flags, configs: ServerConfig[], launch: Launch): Promise<void> {
  const late = new LateJournal()
  const input = new StreamInput(request => answerControl(claude, request))
  const claude = makeClaude(
    flags,
    readInstructions('').settings,
    late.note,
    flags.outputFormat,
    () => !input.isOver,
  )
  await start(claude, configs)
  await converse(claude, input, launch.orders, async instructions => {
    await begin(claude, instructions, late, launch)
    await claude.output.emit(claude.events.init(claude.servers.statuses, claude.servers.tools))
  })
  await rest(claude)
}

/** Takes over what a prompt says, in a claude that runs already. */
async function begin(
  claude: Claude,
  instructions: Instructions,
  late: LateJournal,
  launch: Launch,
): Promise<void> {
  const { settings, from } = instructions
  if (from === undefined) return
  const profile = profiles[settings.profile]
  if (profile.version !== claude.profile.version) {
    claude.profile = profile
    claude.events = eventsFor(claude)
  }
  const path = settings.journal
  if (path !== undefined) journal(() => late.open(path))
  noteStart(claude, instructions, launch)
  const { servers, sessionId, places } = claude
  await servers.start(launcherConfigs(settings), childEnvironment(sessionId, places), places, profile.version)
}

function noteStart(
  { settings, profile, sessionId, note }: Claude,
  { from }: Instructions,
  launch: Launch,
): void {
  if (profile.retitles) process.title = 'claude'
  note('started', {
    pid: process.pid,
    session_id: sessionId,
    profile: settings.profile,
    persona: settings.persona,
    directive: from,
    ...placeOf(launch),
  })
}

function makeClaude(
  flags: Flags,
  settings: Settings,
  note: Note,
  format: ConstructorParameters<typeof Output>[0],
  staysOpen = () => false,
): Claude {
  const cwd = process.cwd()
  const profile = profiles[settings.profile]
  const sessionId = sessionFor(flags, cwd)
  const places = placesOf(cwd, sessionId)
  const files = makeFiles(places, { sessionId, cwd, version: profile.version })
  return {
    settings,
    flags,
    profile,
    sessionId,
    places,
    files,
    note,
    events: eventsFor({ flags, sessionId, profile }),
    output: new Output(format, places.transcript, note),
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
    get staysOpen() {
      return staysOpen()
    },
  }
}

function eventsFor({
  flags,
  sessionId,
  profile: { version },
}: Pick<Claude, 'flags' | 'sessionId' | 'profile'>): Events {
  const { model } = flags
  return new Events({ sessionId, cwd: process.cwd(), model, permissionMode: permissionMode(flags), version })
}

async function start(
  claude: Claude,
  configs: ServerConfig[],
  onSignal: (signal: Handled) => void = signal => end(claude, signal),
): Promise<void> {
  const { servers, sessionId, places, profile, note } = claude
  listen(profile, note, onSignal)
  await servers.start(configs, childEnvironment(sessionId, places), places, profile.version)
  await claude.hooks.run('SessionStart')
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

function journal<Opened>(open: () => Opened): Opened {
  try {
    return open()
  } catch (error) {
    const { path, message } = error as NodeJS.ErrnoException
    return refuse(`fake-claude: the journal '${path}' cannot be written: ${message}`)
  }
}
