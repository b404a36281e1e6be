import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, fstatSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { layout, leanDaemon } from '../../../cleanup/orchestrator.ts'
import { Limit } from '../../limit.ts'
import { openFile, readFrom } from '../files.ts'

const startWithinMs = 10_000
const firstBytes = 1 << 16

const { O_APPEND, O_CREAT, O_RDWR } = constants

/**
 * Starts the daemon for a workspace, detached: it outlives the orchestrator while agents live. Resolves when it watches
 * the workspace, or stands by because the daemon of another orchestrator watches it, which will end with its owner.
 * @throws when it fails to start, or does neither in time (later on a busy machine)
 */
export async function ensureDaemon(workspace: string): Promise<void> {
  const logFile = layout.daemonLog(workspace)
  const log = openFile(workspace, logFile, O_RDWR | O_APPEND | O_CREAT)
  try {
    const before = fstatSync(log).size
    const { args, env } = leanDaemon(workspace, '--owner-pid', String(process.pid))
    const child = spawn(process.execPath, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
    })
    child.unref()
    const limit = new Limit(startWithinMs)
    while (!hasEnded(child) && !hasStarted(child, log, before)) {
      if (limit.isOver)
        throw new Error(`The daemon did not start within ${limit.elapsed}; what it wrote is in ${logFile}.`)
      await delay(10)
    }
    const how = child.signalCode ?? child.exitCode
    if (how && !hasStarted(child, log, before))
      throw new Error(`The daemon ended (${how}) before it watched; what it wrote is in ${logFile}.`)
  } finally {
    closeSync(log)
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Whether its first line is in the log, after the position `before`. Other daemons may write to the same log. */
function hasStarted({ pid }: ChildProcess, log: number, before: number): boolean {
  return readFrom(log, before, firstBytes).includes(`"pid":${pid}}`)
}
