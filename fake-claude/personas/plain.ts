import type { Persona } from './persona.ts'
import { answer } from './steps/answer.ts'
import { leave } from './steps/rest.ts'

/** Answers without a tool, and exits. This is the default for a prompt without a directive. */
export const plain: Persona = [answer, leave]
