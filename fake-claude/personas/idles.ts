import type { Persona } from './persona.ts'
import { answer } from './steps/answer.ts'
import { gate } from './steps/gate.ts'
import { reportFinding, reportWorking } from './steps/report.ts'
import { stay } from './steps/rest.ts'
import { shape } from './steps/shape.ts'
import { work } from './steps/work.ts'

/** Works and prints its result, never reports that it has completed, and stays for ever. */
export const idles: Persona = [reportWorking, work, shape, reportFinding, gate, answer, stay]
