import type { Persona } from './persona.ts'
import { longForegroundBash } from './steps/bash.ts'
import { crashMidLine } from './steps/crash-mid-line.ts'
import { gate } from './steps/gate.ts'
import { reportWorking } from './steps/report.ts'
import { shape } from './steps/shape.ts'
import { work } from './steps/work.ts'

/** Works, and then dies in the middle of a line while its Bash tools run. */
export const crashes: Persona = [reportWorking, work, shape, longForegroundBash, gate, crashMidLine]
