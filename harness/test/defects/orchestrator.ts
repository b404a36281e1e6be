/** Our orchestrator with one of the defective cleanups: `orchestrator.ts <defect> [<strategy around it>]`. */
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { strategies } from '../../orchestrator/strategies/index.ts'
import { type StrategyName, strategyNames } from '../../orchestrator/strategies/strategy.ts'
import { createServer } from '../../orchestrator/tools.ts'
import { defects } from './defects.ts'

const workspace = process.env.CLAUDE_ORCHESTRATOR_WORKSPACE ?? ''
const [, , wanted = '', around = 'immediate'] = process.argv
const sound = strategies[around as StrategyName]
const defect = defects[wanted]
if (!defect) throw new Error(`No defect ${wanted}; there are ${Object.keys(defects).join(', ')}.`)
if (!sound) throw new Error(`No strategy ${around}; there are ${strategyNames.join(', ')}.`)

const strategy = { ...sound, kill: defect(sound.kill) }
if (!process.env.LEAKRIG_AGENT) await strategy.start(workspace)
serveStdio(() => createServer(workspace, strategy))
