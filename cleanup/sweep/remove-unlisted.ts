import fs from 'node:fs'
import { messageOf, systemCode } from '../errors.ts'
import { within } from '../platform/files/within.ts'
import { endProcesses } from '../reaper/end-processes.ts'
import { killSession } from '../tmux/kill-session.ts'
import { readServer } from '../tmux/server.ts'
import type { Action } from './actions.ts'
import type { Done } from './sweep.ts'
import { observeSession, type UnlistedLeftovers, type UnlistedSession } from './unlisted.ts'

/** Ends orphan sessions with what runs in them, and removes orphan prompts. What cannot be is left, and said. */
export async function removeUnlisted(
  workspace: string,
  { sessions, prompts }: UnlistedLeftovers,
  graceMs: number,
): Promise<Done> {
  const done: Done = { outcome: 'clean', actions: [], problems: [] }
  const attempt = async (what: string, step: () => Promise<Action[]> | Action[]): Promise<void> => {
    try {
      done.actions.push(...(await step()))
    } catch (error) {
      done.outcome = 'unfinished'
      done.problems.push(`${what} could not be removed: ${messageOf(error)}`)
    }
  }
  for (const session of sessions)
    await attempt(session.name, () => removeSession(workspace, session, graceMs))
  for (const { file } of prompts) await attempt(file, () => removePrompt(workspace, file))
  return done
}

async function removeSession(workspace: string, orphan: UnlistedSession, graceMs: number): Promise<Action[]> {
  // Looked at anew, and compared by what a server never gives twice: it may have ended since.
  const server = await readServer(orphan.socket)
  const session = server?.sessions.find(({ id, name }) => id === orphan.id && name === orphan.name)
  if (!server || !session) return []
  const { observation, claims } = await observeSession(workspace, server, session)
  const { tracked, survivors } = await endProcesses(observation, claims, graceMs, () => {})
  if (observation.location.session)
    await killSession(observation.entry, observation.location, observation.location.session)
  if (survivors.length > 0)
    throw new Error(`${survivors.map(({ claim }) => claim.process.pid).join(', ')} did not end.`)
  const ended = tracked.ended().map(({ pid, start }): Action => ({ do: 'end', pid, start }))
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
