import type { Persona } from './persona.ts'
import { answer } from './steps/answer.ts'
import { backgroundBash } from './steps/bash.ts'
import { gate } from './steps/gate.ts'
import { reportCompleted, reportFinding, reportWorking } from './steps/report.ts'
import { rest } from './steps/rest.ts'
import { shape } from './steps/shape.ts'
import { work } from './steps/work.ts'

/** Works, reports that it has completed, prints its result, and stays alive because of a background task. */
export const completes: Persona = [
  reportWorking,
  work,
  shape,
  reportFinding,
  backgroundBash,
  gate,
  reportCompleted,
  answer,
  rest,
]
