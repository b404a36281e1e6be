import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { layout } from '../../../cleanup/index.ts'

const daemonProgram = join(import.meta.dirname, '../../../cleanup/bin/daemon.ts')
const startWithinMs = 10_000

/**
 * Starts the daemon for a workspace, detached: it outlives the orchestrator for as long as an agent does.
 * Resolves when it watches. Where another one does already, ours stands by: the other one belongs to another
 * orchestrator, and leaves with that one.
 * @throws when it neither watches nor stands by in time.
 */
export async function ensureDaemon(workspace: string): Promise<void> {
  const logFile = layout.daemonLog(workspace)
  const log = openSync(logFile, 'a')
  const before = fstatSync(log).size
  const args = [daemonProgram, workspace, '--owner-pid', String(process.pid)]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  child.unref()
  const deadline = Date.now() + startWithinMs
  while (!hasEnded(child) && !hasStarted(child, logFile, before)) {
    if (Date.now() > deadline)
      throw new Error(`The daemon did not start within 10 s; what it wrote is in ${logFile}.`)
    await delay(10)
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Its first line says so; `before` is where the log ended until then. */
function hasStarted({ pid }: ChildProcess, logFile: string, before: number): boolean {
  return readFileSync(logFile).subarray(before).includes(`"pid":${pid}}`)
}
