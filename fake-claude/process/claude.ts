import type { Flags } from '../cli/flags.ts'
import type { Settings } from '../cli/settings.ts'
import type { Profile } from '../profiles.ts'
import type { BashTools } from './children/bash-tools.ts'
import type { Hooks } from './children/hooks.ts'
import type { Servers } from './mcp/servers.ts'
import type { Events } from './output/events.ts'
import type { Output } from './output/output.ts'
import type { SessionFiles } from './session/files.ts'
import type { Note } from './session/journal.ts'
import type { Places } from './session/places.ts'

/** One running claude: everything that its persona, its ending and its idle state need. */
export interface Claude {
  settings: Settings
  flags: Flags
  profile: Profile
  sessionId: string
  places: Places
  files: SessionFiles
  note: Note
  events: Events
  output: Output
  servers: Servers
  bash: BashTools
  hooks: Hooks
  /** Its result was printed, so that it prints nothing more when it ends. */
  answered: boolean
  /** It waits for another prompt when a turn is over, and so it neither exits nor becomes idle. */
  readonly staysOpen: boolean
  /** It is ending, and starts nothing any more. */
  ending: boolean
}
