import type { Claude } from '../process/claude.ts'

/** One thing that a claude does. It takes what it needs to know from the settings. */
type Step = (claude: Claude) => Promise<void>

/** What one fake claude does, from its init line to its ending: a list of steps, and nothing else. */
export type Persona = Step[]
