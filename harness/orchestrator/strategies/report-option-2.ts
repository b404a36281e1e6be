import { spawn } from 'node:child_process'
import { extname, join } from 'node:path'
import { asFound } from './as-found.ts'
import type { Strategy } from './strategy.ts'

/** Beside this file, or beside the bundle that this file is in. */
const daemonProgram = join(import.meta.dirname, `report-option-2-daemon${extname(import.meta.filename)}`)

/**
 * The report's option 2 (section 6), faults included: an end is a status and no more, and a daemon that looks
 * every minute (CHECK_INTERVAL, in seconds) cleans up after agents that completed and still have their session.
 */
export const reportOption2: Strategy = {
  ...asFound,
  name: 'report-option-2',

  async start(workspace) {
    await asFound.start(workspace)
    const daemon = spawn(process.execPath, [daemonProgram, workspace], {
      detached: true,
      // The kernel closes the pipe for an orchestrator that is gone, however it went: that ends the daemon.
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    await new Promise((resolve, reject) => daemon.once('spawn', resolve).once('error', reject))
    daemon.unref()
  },
}
