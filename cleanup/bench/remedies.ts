import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cleanUp } from '../index.ts'
import { layout } from '../orchestrator.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { readProcess } from '../platform/processes/table.ts'
import { type Deployed, logs } from './world.ts'

const run = promisify(execFile)

/** Ends one agent and puts its files away. */
export type Remedy = (agent: Deployed, socket: string) => Promise<void>

/** What no cleanup can do without: the session killed, its processes seen to go, one file removed, three renamed. */
export const floor: Remedy = async ({ ref, session, pids }, socket) => {
  await run('tmux', ['-S', socket, 'kill-session', '-t', session])
  while (pids.some(isThere)) await sleep(1)
  fs.unlinkSync(layout.promptFile(ref))
  for (const log of logs(ref)) fs.renameSync(log, layout.archived(ref, log))
}

/** The first remedy of the report (section 6), step by step as it is described there. */
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

/** Ours, with a grace in ms. Throws when anything is left. */
export const ours =
  (graceMs?: number): Remedy =>
  async ({ ref, pids }) => {
    const options = { status: 'completed', reason: 'the benchmark said so' }
    const { outcome, problems } = await cleanUp(ref, {
      ...options,
      ...(graceMs !== undefined && { graceMs }),
    })
    if (outcome !== 'clean' || pids.some(isThere)) throw new Error(`${outcome}: ${problems.join(' ')}`)
  }

function isThere(pid: number): boolean {
  const now = readProcess(pid)
  return now !== undefined && !hasEnded(now)
}
