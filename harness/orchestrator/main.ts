import { resolve } from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { MARKER } from '../../cleanup/index.ts'
import { strategies } from './strategies/index.ts'
import type { Strategy, StrategyName } from './strategies/strategy.ts'
import { createServer } from './tools.ts'

/** Serves the report's tools over stdio until its standard input ends. */
export function serveOrchestrator(name: StrategyName): Promise<void> {
  return serve(strategies[name])
}

/** The same with a strategy that may have no name. */
export async function serve(strategy: Strategy): Promise<void> {
  const workspace = resolve(process.env.CLAUDE_ORCHESTRATOR_WORKSPACE ?? '.agent-workspace')
  const marker = process.env[MARKER]
  // In an agent's own instance the one that people talk to has done this already.
  if (marker === undefined) await strategy.start(workspace)
  serveStdio(() => createServer(workspace, strategy, marker))
}
