import { completes } from './completes.ts'
import { crashes } from './crashes.ts'
import { exits } from './exits.ts'
import { idles } from './idles.ts'
import type { PersonaName } from './names.ts'
import type { Persona } from './persona.ts'
import { plain } from './plain.ts'
import { talks } from './talks.ts'
import { works } from './works.ts'
/** A new persona is a file of its own, one line here, and one name in names.ts. */
export const personas: Record<PersonaName, Persona> = {
  plain,
  completes,
  exits,
  works,
  crashes,
  idles,
  talks,
}
