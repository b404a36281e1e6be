import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { RECORD_FORMAT, type RecordedTmux, recordOf } from '../../cleanup/orchestrator.ts'
import { Limit } from '../limit.ts'
import { isServerExiting } from './server-exiting.ts'

/** How long to retry while a server, or several in a row, are exiting, ms. */
const exitsWithinMs = 5_000

/** How long a tmux server may take to answer, ms of a machine that has a processor to spare. */
const answersWithinMs = 10_000

/**
 * Starts a detached session that runs `command` in `folder` as its pane's process, without a shell in between. The
 * folder is the client's own: tmux would expand formats in the value of `-c`, and run the command in `x#(command)`.
 * @param environment variables for this session alone, because tmux starts panes with its server's environment, not ours
 * @throws when tmux is missing, fails, or is older than 3.2 (`new-session -e`)
 */
export async function newSession(
  name: string,
  folder: string,
  environment: Record<string, string>,
  command: string[],
): Promise<RecordedTmux> {
  const variables = Object.entries(environment).flatMap(([key, value]) => ['-e', `${key}=${value}`])
  const words = [...variables, '--', ...command].map(literal)
  const { stdout } = await tmux(
    ['new-session', '-d', '-P', '-F', RECORD_FORMAT, '-s', name, ...words],
    folder,
  )
  return recordOf(stdout)
}

/** A word of a command of tmux, for which a ";" at its end would begin another command. */
const literal = (word: string): string => word.replace(/;$/, '\\;')

/**
 * Whether a session has exactly this name; `-t =name` would also accept a longer one (tmux 3.3a, list-panes).
 * @throws when tmux could not be queried, which does not mean "no"
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

/** As the report's system checks: by the bare name, which also matches a longer name that begins with it. */
export async function matchesName(name: string): Promise<boolean> {
  return tmux(['has-session', '-t', name]).then(
    () => true,
    () => false,
  )
}

/** Kills by the bare name, as the report's system does; false when tmux fails. */
export async function killSession(name: string): Promise<boolean> {
  return tmux(['kill-session', '-t', name]).then(
    () => true,
    () => false,
  )
}

/** Retries while a server is exiting: nothing that it did for the failed command survives it. */
async function tmux(args: string[], folder?: string): Promise<{ stdout: string }> {
  const limit = new Limit(exitsWithinMs)
  for (;;) {
    try {
      return await runOnce(args, folder)
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string }
      if (!isServerExiting(stderr) || limit.isOver) throw error
      await delay(20)
    }
  }
}

/** Not by execa: every agent starts an instance of this server, and execa takes 70 ms of a core to load. */
function runOnce(args: string[], cwd: string | undefined): Promise<{ stdout: string }> {
  return new Limit(answersWithinMs).during(signal =>
    promisify(execFile)('tmux', ['-u', ...args], { signal, cwd }),
  )
}
