import type { Persona } from './persona.ts'
import { longForegroundBash } from './steps/bash.ts'
import { tear } from './steps/crash-mid-line.ts'
import { gate } from './steps/gate.ts'
import { reportWorking } from './steps/report.ts'
import { shape } from './steps/shape.ts'
import { work } from './steps/work.ts'

/** In the middle of its work, and then dead in the middle of a line, its Bash tools still running. */
export const crashes: Persona = [reportWorking, work, shape, longForegroundBash, gate, tear]
