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

/** Serves with any strategy, such as that of a seeded defect. */
export async function serve(strategy: Strategy): Promise<void> {
  // The workspace is relative to the folder that the user called npm from, not to the project's folder.
  process.chdir(cwd())
  const workspace = resolve(process.env.CLAUDE_ORCHESTRATOR_WORKSPACE || '.agent-workspace')
  // Root becomes the workspace's owner before it makes anything there: the owner could have placed a link.
  becomeOwner([nearest(workspace)])
  const marker = process.env[MARKER]
  // For an instance inside an agent, the outer instance has done this already.
  if (marker === undefined) {
    makeRoot(workspace)
    await strategy.start(workspace)
  }
  serveStdio(() => createServer(workspace, strategy, marker))
}

/** The folder itself, or its nearest ancestor that exists. */
function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder))
}
