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

/** True for a server whose last attached client takes it along, and that has one: `exit-unattached`, a server's option. */
const exitsWithClients = '#{&&:#{exit-unattached},#{m/r:[1-9],#{S:#{session_attached} }}}'

/**
 * Starts a detached session that runs `command` in `folder` as its pane's process, without a shell in between. The
 * folder is the client's own: tmux would expand formats in the value of `-c`, and run the command in `x#(command)`.
 * All of it is one sequence, which tmux carries out before it looks for sessions and servers to close: the user's
 * configuration may end every session that nobody is attached to (`destroy-unattached`), so this one is excepted. A server
 * that exits when nobody is attached (`exit-unattached`) would exit right after the sequence; if nobody is attached to it
 * now, nobody uses it, and it stays.
 * @param environment variables for this session alone, because tmux starts panes with its server's environment, not ours
 * @throws when tmux is missing, fails, or is older than 3.2 (`new-session -e`), and when the server would exit with a user's client
 */
export async function newSession(
  name: string,
  folder: string,
  environment: Record<string, string>,
  command: string[],
): Promise<RecordedTmux> {
  const variables = Object.entries(environment).flatMap(([key, value]) => ['-e', `${key}=${value}`])
  const words = [...variables, '--', ...command].map(literal)
  const session = `=${name}:`
  const sequence = [
    ...['new-session', '-d', '-P', '-F', RECORD_FORMAT, '-s', name, ...words, ';'],
    ...['set-option', '-t', session, 'destroy-unattached', 'off', ';'],
    ...['if-shell', '-F', exitsWithClients, '', 'set-option -s exit-unattached off', ';'],
    ...['display-message', '-p', '#{exit-unattached}'],
  ]
  const [record = '', exits] = await lines(sequence, folder)
  if (exits !== '1') return recordOf(record)
  await tmux(['kill-session', '-t', session])
  throw new Error(
    'The tmux server has the option exit-unattached, so it would exit with the agent as soon as the last client detaches: run "tmux set-option -s exit-unattached off", or deploy to another server (TMUX_TMPDIR).',
  )
}

/** The lines that tmux printed. A hook of the user's (`after-new-session`) may have made a later command of the sequence fail. */
async function lines(args: string[], folder: string): Promise<string[]> {
  const { stdout } = await tmux(args, folder).catch((error: Error & { stdout?: string }) => {
    if (/^\d+ \$\d+ /.test(error.stdout ?? '')) return { stdout: error.stdout ?? '' }
    throw error
  })
  return stdout.split('\n')
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
