import type { Persona } from './persona.ts'
import { longForegroundBash } from './steps/bash.ts'
import { reportWorking } from './steps/report.ts'
import { stay } from './steps/rest.ts'
import { shape } from './steps/shape.ts'
import { work } from './steps/work.ts'

/** Works, with a tree of Bash tools below it, until somebody ends it. */
export const works: Persona = [reportWorking, work, shape, longForegroundBash, stay]
