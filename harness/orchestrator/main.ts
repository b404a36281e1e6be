import { resolve } from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { strategies } from './strategies/index.ts'
import type { StrategyName } from './strategies/strategy.ts'
import { createServer } from './tools.ts'

/** Serves the report's tools over stdio until its standard input ends. */
export async function serveOrchestrator(name: StrategyName): Promise<void> {
  const workspace = resolve(process.env.CLAUDE_ORCHESTRATOR_WORKSPACE ?? '.agent-workspace')
  const strategy = strategies[name]
  // In an agent's own instance the one that people talk to has done this already.
  if (!process.env.LEAKRIG_AGENT) await strategy.start(workspace)
  serveStdio(() => createServer(workspace, strategy))
}
