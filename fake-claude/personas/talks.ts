import type { Persona } from './persona.ts'
import { gate } from './steps/gate.ts'
import { reportWorking } from './steps/report.ts'
import { stay } from './steps/rest.ts'
import { shape } from './steps/shape.ts'
import { talk } from './steps/talk.ts'

/** Once its gate is open, prints numbered events as fast as it can; then it is idle until somebody ends it. */
export const talks: Persona = [reportWorking, shape, gate, talk, stay]
