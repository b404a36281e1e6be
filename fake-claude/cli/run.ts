import { randomUUID } from 'node:crypto'
import { BashTools } from '../children/bash-tools.ts'
import { bashEnvironment, childEnvironment } from '../children/environment.ts'
import { end } from '../ending/ending.ts'
import { listen } from '../ending/signals.ts'
import { readServerConfigs } from '../mcp/config.ts'
import { Servers } from '../mcp/servers.ts'
import { Events } from '../output/events.ts'
import { Output } from '../output/output.ts'
import { personas } from '../personas/personas.ts'
import { profiles } from '../profiles.ts'
import type { Claude } from '../session/claude.ts'
import { makeFiles } from '../session/files.ts'
import { openJournal } from '../session/journal.ts'
import { placesOf, sessionsOf } from '../session/places.ts'
import { launcherConfigs } from '../shapes/launcher.ts'
import { readSettings } from './directive.ts'
import { type Flags, readFlags } from './flags.ts'
import { readPrompt } from './prompt.ts'
import { refuse } from './refuse.ts'

/** From the arguments to the last step of the persona. */
export async function run(argv: string[]): Promise<void> {
  const flags = readFlags(argv)
  if (flags.version) return console.log(`${profiles[readSettings('').profile].version} (Claude Code)`)

  const cwd = process.cwd()
  // Before the prompt: where --mcp-config swallowed it, that is what has to be told.
  const configs = readServerConfigs(flags.mcpConfig, flags.strictMcpConfig, cwd)
  const settings = readSettings(await readPrompt(flags))
  const profile = profiles[settings.profile]
  const sessionId = sessionFor(flags, cwd)
  const note = journal(settings.journal)
  if (profile.retitles) process.title = 'claude'
  note('started', {
    pid: process.pid,
    session_id: sessionId,
    profile: settings.profile,
    persona: settings.persona,
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
    answered: false,
    ending: false,
  }
  listen(profile, note, signal => end(claude, signal))

  const { servers, events, output } = claude
  const all = [...configs, ...launcherConfigs(settings)]
  await servers.start(all, childEnvironment(sessionId, places), places, version)
  await output.emit(events.init(servers.statuses, servers.tools))
  for (const step of personas[settings.persona]) await step(claude)
}

function sessionFor({ sessionId, resume, continue: latest }: Flags, cwd: string): string {
  const known = sessionsOf(cwd)
  if (typeof resume === 'string') {
    if (!known.includes(resume)) refuse(`No conversation found with session ID: ${resume}`)
    return resume
  }
  if (latest || resume) return known[0] ?? refuse('No conversation found to continue')
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
