import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { becomeOwner, cwd, MARKER, makeRoot } from '../../cleanup/orchestrator.ts'
import { strategies } from './strategies/index.ts'
import type { Strategy, StrategyName } from './strategies/strategy.ts'
import { createServer } from './tools.ts'

/** Serves the report's tools over stdio until its standard input ends. */
export function serveOrchestrator(name: StrategyName): Promise<void> {
  return serve(strategies[name])
}

/** The same with a strategy that may have no name. */
export async function serve(strategy: Strategy): Promise<void> {
  // Its workspace is there, and its agents work there, where people are: npm has started us in the project's folder.
  process.chdir(cwd())
  const workspace = resolve(process.env.CLAUDE_ORCHESTRATOR_WORKSPACE || '.agent-workspace')
  // As root, before anything is made there: whoever owns the folder could have put a link in the way.
  becomeOwner([nearest(workspace)])
  const marker = process.env[MARKER]
  // In an agent's own instance the one that people talk to has done this already.
  if (marker === undefined) {
    makeRoot(workspace)
    await strategy.start(workspace)
  }
  serveStdio(() => createServer(workspace, strategy, marker))
}

/** The folder itself, or the first one above it that exists. */
function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder))
}
