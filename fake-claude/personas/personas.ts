import { completes } from './completes.ts'
import { crashes } from './crashes.ts'
import { exits } from './exits.ts'
import { idles } from './idles.ts'
import type { Persona } from './persona.ts'
import { plain } from './plain.ts'
import { talks } from './talks.ts'
import { works } from './works.ts'

export type PersonaName = 'plain' | 'completes' | 'exits' | 'works' | 'crashes' | 'idles' | 'talks'

/** A new persona is a module of its own and one more name here. */
export const personas: Record<PersonaName, Persona> = {
  plain,
  completes,
  exits,
  works,
  crashes,
  idles,
  talks,
}
