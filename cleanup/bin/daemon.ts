#!/usr/bin/env node
import { parseArgs } from 'node:util'
import type { LogLine } from '../cleaning/report.ts'
import { type DaemonOptions, runDaemon } from '../daemon/run-daemon.ts'
import { CleanupError, words } from '../errors.ts'
import { startOf } from '../processes/table.ts'

// Whoever read our log may be gone; that must not end the work.
process.stdout.on('error', () => {})

const USAGE =
  'usage: daemon.ts --workspace DIR [--workspace DIR ...] [--owner-pid PID] [--grace-ms MS]; DIR is an absolute path'

/** 0 stopped or nothing left to do, 1 unforeseen, 2 wrong usage, 3 another daemon is there or it could not begin. */
const exitCodes: Partial<Record<string, number>> = { 'bad-argument': 2, 'no-workspace': 2 }

try {
  await runDaemon(readOptions())
  // What is still at work (a tmux that does not answer) is pending on disk, and must not hold up the stop.
  process.exit(0)
} catch (error) {
  process.stderr.write(`${words(error)}\n`)
  process.exit(error instanceof CleanupError ? (exitCodes[error.code] ?? 3) : 1)
}

function readOptions(): DaemonOptions {
  const { workspace, ...numbers } = parse()
  if (!workspace) throw wrongUsage('--workspace is missing')
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort())
  const graceMs = readNumber('--grace-ms', numbers['grace-ms'])
  const owner = readNumber('--owner-pid', numbers['owner-pid'])
  return {
    workspaces: workspace,
    log,
    signal: stop.signal,
    ...(graceMs !== undefined && { graceMs }),
    // An owner that has gone already has no start: it counts as gone.
    ...(owner !== undefined && { owner: { pid: owner, start: startOf(owner) ?? -1 } }),
  }
}

function parse() {
  const options = {
    workspace: { type: 'string', multiple: true },
    'owner-pid': { type: 'string' },
    'grace-ms': { type: 'string' },
  } as const
  try {
    return parseArgs({ options }).values
  } catch (error) {
    throw wrongUsage(words(error))
  }
}

function readNumber(name: string, value: string | undefined): number | undefined {
  if (value === undefined || /^\d{1,9}$/.test(value)) return value === undefined ? undefined : Number(value)
  throw wrongUsage(`${name} is ${JSON.stringify(value)}, expected a number`)
}

function wrongUsage(what: string): CleanupError {
  return new CleanupError('bad-argument', `${what}; ${USAGE}`)
}

function log(line: LogLine): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`)
}
