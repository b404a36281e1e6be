import fs from 'node:fs'
import { systemCode, words } from '../errors.ts'
import { within } from '../platform/files/within.ts'
import { endProcesses } from '../reaper/end-processes.ts'
import { killSession } from '../tmux/kill-session.ts'
import { readServer } from '../tmux/server.ts'
import type { Action } from './actions.ts'
import type { Done } from './sweep.ts'
import { type FoundOrphans, lookAtSession, type OrphanSession } from './unlisted.ts'

/** Ends orphan sessions with what runs in them, and removes orphan prompts. What cannot be is left, and said. */
export async function removeOrphans(
  workspace: string,
  { sessions, prompts }: FoundOrphans,
  graceMs: number,
): Promise<Done> {
  const done: Done = { outcome: 'clean', actions: [], problems: [] }
  const attempt = async (what: string, step: () => Promise<Action[]> | Action[]): Promise<void> => {
    try {
      done.actions.push(...(await step()))
    } catch (error) {
      done.outcome = 'unfinished'
      done.problems.push(`${what} could not be removed: ${words(error)}`)
    }
  }
  for (const session of sessions)
    await attempt(session.name, () => removeSession(workspace, session, graceMs))
  for (const { file } of prompts) await attempt(file, () => removePrompt(workspace, file))
  return done
}

async function removeSession(workspace: string, orphan: OrphanSession, graceMs: number): Promise<Action[]> {
  // Looked at anew, and compared by what a server never gives twice: it may have ended since.
  const server = await readServer(orphan.socket)
  const session = server?.sessions.find(({ id, name }) => id === orphan.id && name === orphan.name)
  if (!server || !session) return []
  const { scene, claims } = await lookAtSession(workspace, server, session)
  const { roster, survivors } = await endProcesses(scene, claims, graceMs, () => {})
  if (scene.where.session) await killSession(scene.entry, scene.where, scene.where.session)
  if (survivors.length > 0)
    throw new Error(`${survivors.map(({ claim }) => claim.process.pid).join(', ')} did not end.`)
  const ended = roster.ended().map(({ pid, start }): Action => ({ do: 'end', pid, start }))
  return [...ended, { do: 'close', session: session.name }]
}

function removePrompt(workspace: string, file: string): Action[] {
  try {
    within(workspace, file, fs.unlinkSync)
    return [{ do: 'remove', file }]
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
