/** Our orchestrator with one of the defective cleanups, named by its argument. */
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { strategies } from '../../orchestrator/strategies/index.ts'
import { createServer } from '../../orchestrator/tools.ts'
import { defects } from './defects.ts'

const workspace = process.env.CLAUDE_ORCHESTRATOR_WORKSPACE ?? ''
const sound = strategies.immediate
const defect = defects[process.argv[2] ?? '']
if (!defect) throw new Error(`No defect ${process.argv[2]}; there are ${Object.keys(defects).join(', ')}.`)

const strategy = { ...sound, kill: defect(sound.kill) }
if (!process.env.LEAKRIG_AGENT) await strategy.start(workspace)
serveStdio(() => createServer(workspace, strategy))
