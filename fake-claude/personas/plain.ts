import type { Persona } from './persona.ts'
import { answer } from './steps/answer.ts'
import { leave } from './steps/rest.ts'

/** Answers, calls no tool, leaves: what any prompt without a directive gets. */
export const plain: Persona = [answer, leave]
