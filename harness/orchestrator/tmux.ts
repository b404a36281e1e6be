import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { RECORD_FORMAT, type RecordedTmux, recordOf } from '../../cleanup/orchestrator.ts'
import { Limit } from '../limit.ts'
import { isServerExiting } from './server-exiting.ts'

/** How long one server, or several in a row, may be on their way out, ms. */
const leavesWithinMs = 5_000

/** How long a tmux server may take to answer, ms of a machine that has a processor to spare. */
const answersWithinMs = 10_000

/**
 * Starts a detached session that runs `command` as its pane's process, without a shell in between.
 * `environment` is given to that session alone: tmux starts panes with its server's environment, not ours.
 * @throws when tmux is missing, refuses, or is older than 3.2 (`new-session -e`).
 */
export async function newSession(
  name: string,
  folder: string,
  environment: Record<string, string>,
  command: string[],
): Promise<RecordedTmux> {
  const variables = Object.entries(environment).flatMap(([key, value]) => ['-e', `${key}=${value}`])
  const place = ['-d', '-P', '-F', RECORD_FORMAT, '-s', name, '-c', folder]
  const { stdout } = await tmux(['new-session', ...place, ...variables, '--', ...command])
  return recordOf(stdout)
}

/**
 * Whether a session has exactly this name; `-t =name` would also accept a longer one (tmux 3.3a, list-panes).
 * @throws when tmux could not be asked: that is not the same as "no".
 */
export async function hasSession(name: string): Promise<boolean> {
  try {
    const { stdout } = await tmux(['list-sessions', '-F', '#{session_name}'])
    return stdout.split('\n').includes(name)
  } catch (error) {
    if (/no server running|\((No such file or directory|Connection refused)\)/.test(String(error)))
      return false
    throw error
  }
}

/** As the report's system asks: by the bare name, which a longer one that begins with it answers to as well. */
export async function answersToName(name: string): Promise<boolean> {
  return tmux(['has-session', '-t', name]).then(
    () => true,
    () => false,
  )
}

/** By its bare name, as the report's system does it; false when tmux says no. */
export async function killSession(name: string): Promise<boolean> {
  return tmux(['kill-session', '-t', name]).then(
    () => true,
    () => false,
  )
}

/** A client that is turned away asks again: whatever that server had still begun is gone with it. */
async function tmux(args: string[]): Promise<{ stdout: string }> {
  const limit = new Limit(leavesWithinMs)
  for (;;) {
    try {
      return await ask(args)
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string }
      if (!isServerExiting(stderr) || limit.isOver) throw error
      await delay(20)
    }
  }
}

/** Not by execa: every agent starts an instance of this server, and execa takes 70 ms of a core to load. */
function ask(args: string[]): Promise<{ stdout: string }> {
  return new Limit(answersWithinMs).during(signal => promisify(execFile)('tmux', ['-u', ...args], { signal }))
}
