import type { Claude } from '../process/claude.ts'

/** One thing that a claude does, with the parameters of its settings. */
type Step = (claude: Claude) => Promise<void>

/** What one fake claude does, from its init event to its ending. */
export type Persona = Step[]
