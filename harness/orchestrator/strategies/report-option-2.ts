import { spawn } from 'node:child_process'
import { extname, join } from 'node:path'
import { asFound } from './as-found.ts'
import type { Strategy } from './strategy.ts'

/** It lies beside this file, and its bundle beside the bundle of this file. */
const daemonProgram = join(import.meta.dirname, `report-option-2-daemon${extname(import.meta.filename)}`)

/**
 * The report's option 2 (section 6), faults included: an ending only changes a status, and a daemon that checks every
 * minute (CHECK_INTERVAL, in seconds) cleans up after agents that completed and still have their session.
 */
export const reportOption2: Strategy = {
  ...asFound,
  name: 'report-option-2',

  async start(workspace) {
    await asFound.start(workspace)
    const daemon = spawn(process.execPath, [daemonProgram, workspace], {
      detached: true,
      // When the orchestrator is gone, for whatever reason, the kernel closes the pipe, and that ends the daemon.
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    await new Promise((resolve, reject) => daemon.once('spawn', resolve).once('error', reject))
    daemon.unref()
  },
}
