import { type ChildProcess, execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { CleanupError, messageOf, systemCode } from '../errors.ts'
import { limitMet } from '../platform/limits.ts'
import { isListening } from './listener.ts'
import { ownSocket } from './own-socket.ts'
import { onServerTimeout } from './server-timeout.ts'

/** The lines that tmux printed, or the certainty that no server listens on the socket. */
export type TmuxReply = string[] | 'no-server'

/** How long a server that refused a client may take to close its socket, in ms: an exiting one still accepts connections. */
const SERVER_EXIT_MS = 300

/**
 * Runs a command on the tmux server of a socket. This is the only place that starts a tmux client, and it starts none for a
 * socket that is not ours (own-socket.ts). The wording of tmux's errors differs between versions, so the socket decides
 * about a failure: when nothing listens, there is no server; otherwise a CleanupError (`tmux-unreachable`) is thrown, which
 * never means that something is gone. `serverPid` allows a busy server more time than one that does nothing
 * (server-timeout.ts).
 */
export async function queryTmux(socket: string, args: string[], serverPid?: number): Promise<TmuxReply> {
  const own = await ownSocket(socket)
  if (own === undefined) return 'no-server'
  try {
    return await runTmux(own, args, serverPid)
  } catch (error) {
    if (await isDeserted(own)) return 'no-server'
    throw tmuxUnreachable(socket, args, failureOf(error), error)
  }
}

/** The error for a query without a certain answer. */
export function tmuxUnreachable(socket: string, args: string[], why: string, cause?: unknown): CleanupError {
  const advice = ADVICE[systemCode(cause) ?? ''] ?? 'make tmux answer'
  return new CleanupError(
    'tmux-unreachable',
    `tmux on ${socket} could not be queried (${args[0]}): ${why}. The session may still exist, so it is left alone; ${advice}, then try again.`,
    { cause },
  )
}

function runTmux(socket: string, args: string[], serverPid: number | undefined): Promise<string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>()
  const options = { maxBuffer: 1 << 26, env: environmentOutsidePanes() }
  // -u: in another locale tmux prints "_" for what it cannot show, and "agent_é" would compare equal to "agent__".
  const client = execFile('tmux', ['-u', '-S', socket, ...args], options, (error, stdout, stderr) => {
    clients.delete(client)
    if (error) reject(Object.assign(error, { stderr }))
    // An empty line counts: all of it may have been left out.
    else resolve(stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n'))
  })
  clients.add(client)
  const wait = onServerTimeout(serverPid, () => {
    client.kill('SIGKILL')
    // The server holds the client's standard streams open even when the client is gone.
    for (const stream of [client.stdin, client.stdout, client.stderr]) stream?.destroy()
    reject(new Error('it did not answer in time'))
  })
  return promise.finally(() => wait[Symbol.dispose]())
}

/** The clients that wait for an answer. On a stopped server they would wait for ever, even after our exit. */
const clients = new Set<ChildProcess>()
process.on('exit', () => {
  for (const client of clients) client.kill('SIGKILL')
})

/** Our environment without our own pane, which tmux would take as the target of a command without one. */
function environmentOutsidePanes(): NodeJS.ProcessEnv {
  const { TMUX: _tmux, TMUX_PANE: _pane, ...rest } = process.env
  return rest
}

/** Why a client could not be started, by the system's error code. */
const NOT_STARTED: Record<string, string> = {
  ENOENT: 'there is no tmux on the PATH',
  EACCES: 'the tmux on the PATH is not executable',
}

const ADVICE: Record<string, string> = {
  ENOENT: 'install tmux, or put it on the PATH',
  EACCES: 'make it executable, or put another tmux first on the PATH',
}

/** What a client prints for a server whose protocol it does not speak. */
const OTHER_VERSION = /protocol version|server version is too/

function failureOf(error: unknown): string {
  const why = limitMet(error) ?? NOT_STARTED[systemCode(error) ?? '']
  if (why !== undefined) return why
  const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  if (OTHER_VERSION.test(output))
    return `its server is of another version than the tmux on the PATH, which printed "${output.split('\n')[0]}"; put that server’s own tmux first on the PATH`
  return output === '' ? messageOf(error) : `it printed "${output}"`
}

/** True when nothing listens on the socket, or stops listening while we wait. */
async function isDeserted(socket: string): Promise<boolean> {
  const deadline = performance.now() + SERVER_EXIT_MS
  while (await isListening(socket)) {
    if (performance.now() > deadline) return false
    await sleep(10)
  }
  return true
}
