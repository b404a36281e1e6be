import type { Persona } from './persona.ts'
import { answer } from './steps/answer.ts'
import { foregroundBash } from './steps/bash.ts'
import { gate } from './steps/gate.ts'
import { reportCompleted, reportFinding, reportWorking } from './steps/report.ts'
import { leave } from './steps/rest.ts'
import { shape } from './steps/shape.ts'
import { work } from './steps/work.ts'

/** Works, reports that it has completed, prints its result and exits with 0. */
export const exits: Persona = [
  reportWorking,
  work,
  shape,
  foregroundBash,
  reportFinding,
  gate,
  reportCompleted,
  answer,
  leave,
]
