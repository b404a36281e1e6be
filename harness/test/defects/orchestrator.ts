/** Our orchestrator with one of the defective cleanups: `orchestrator.ts <defect> [<strategy around it>]`. */
import { serve } from '../../orchestrator/main.ts'
import { strategies } from '../../orchestrator/strategies/index.ts'
import { type StrategyName, strategyNames } from '../../orchestrator/strategies/strategy.ts'
import { defects } from './defects.ts'

const [, , wanted = '', around = 'immediate'] = process.argv
const sound = strategies[around as StrategyName]
const defect = defects[wanted]
if (!defect) throw new Error(`No defect ${wanted}; there are ${Object.keys(defects).join(', ')}.`)
if (!sound) throw new Error(`No strategy ${around}; there are ${strategyNames.join(', ')}.`)

await serve({ ...sound, kill: defect(sound.kill) })
