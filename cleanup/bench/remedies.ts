import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cleanUp } from '../index.ts'
import { layout } from '../orchestrator.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { readProcess } from '../platform/processes/table.ts'
import { type Deployed, logs } from './workspace.ts'

const run = promisify(execFile)

/** Ends one agent, removes its prompt and archives its logs. */
export type Remedy = (agent: Deployed, socket: string) => Promise<void>

/** The least that any cleanup must do: kill the session, wait until its processes have ended, remove one file, rename three. */
export const floor: Remedy = async ({ ref, session, pids }, socket) => {
  await run('tmux', ['-S', socket, 'kill-session', '-t', session])
  while (pids.some(isRunning)) await sleep(1)
  fs.unlinkSync(layout.promptFile(ref))
  for (const log of logs(ref)) fs.renameSync(log, layout.archived(ref, log))
}

/** The report's first remedy (section 6), with its steps as described there. */
export const reportOption1: Remedy = async ({ ref }, socket) => {
  const name = layout.sessionName(ref)
  const target = ['-S', socket, 'kill-session', '-t', name]
  if (
    await run('tmux', ['-S', socket, 'has-session', '-t', name]).then(
      () => true,
      () => false,
    )
  ) {
    await run('tmux', target)
    await sleep(500)
  }
  if (fs.existsSync(layout.promptFile(ref))) fs.unlinkSync(layout.promptFile(ref))
  fs.mkdirSync(layout.archiveFolder(ref), { recursive: true })
  for (const log of logs(ref))
    if (fs.existsSync(log)) fs.renameSync(log, path.join(layout.archiveFolder(ref), path.basename(log)))
  const { stdout } = await run('ps', ['aux'], { maxBuffer: 1 << 26 })
  stdout.split('\n').filter(line => line.includes(ref.agentId) && line.toLowerCase().includes('claude'))
}

/** leakrig's cleanup, with a grace period in ms. Throws if anything is left. */
export const ours =
  (graceMs?: number): Remedy =>
  async ({ ref, pids }) => {
    const options = { status: 'completed', reason: 'benchmark' }
    const { outcome, problems } = await cleanUp(ref, {
      ...options,
      ...(graceMs !== undefined && { graceMs }),
    })
    if (outcome !== 'clean' || pids.some(isRunning)) throw new Error(`${outcome}: ${problems.join(' ')}`)
  }

function isRunning(pid: number): boolean {
  const now = readProcess(pid)
  return now !== undefined && !hasEnded(now)
}
