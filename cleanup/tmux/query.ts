import { type ChildProcess, execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { CleanupError, messageOf, systemCode } from '../errors.ts'
import { isListening } from './listening.ts'
import { ownSocket } from './own-socket.ts'
import { onServerTimeout } from './server-timeout.ts'

/** What asking came to: the lines that tmux printed, or the certainty that no server is behind the socket. */
export type TmuxReply = string[] | 'no-server'

/** How long a server that turned us away gets to close its socket, in ms: one that is on its way out still accepts. */
const SERVER_EXIT_MS = 300

/**
 * Asks the tmux server behind a socket. tmux words its errors differently from version to version, so a
 * failure is judged by the socket: when nobody listens there, there is no server; otherwise tmux could not be
 * asked, which is an error (CleanupError `tmux-unreachable`) and never means that something is gone. With the pid of
 * the server, one that is only busy is waited for longer than one that does nothing (deaf.ts). No client is started for
 * a socket that is not ours (own-socket.ts); this is the only place that starts one.
 */
export async function queryTmux(socket: string, args: string[], serverPid?: number): Promise<TmuxReply> {
  const own = await ownSocket(socket)
  if (own === undefined) return 'no-server'
  try {
    return await runTmux(own, args, serverPid)
  } catch (error) {
    if (await isDeserted(own)) return 'no-server'
    throw tmuxUnreachable(socket, args, failureOf(error))
  }
}

/** An error that says that tmux could not be asked, and that nothing follows from it. */
export function tmuxUnreachable(socket: string, args: string[], why: string): CleanupError {
  return new CleanupError(
    'tmux-unreachable',
    `tmux on ${socket} could not be asked (${args[0]}): ${why}. That does not mean that the session is gone, so nothing was ended or deleted on the strength of it; make tmux answer, then try again.`,
  )
}

function runTmux(socket: string, args: string[], serverPid: number | undefined): Promise<string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>()
  const options = { maxBuffer: 1 << 26, env: outsideOfPanes() }
  // -u: in another locale tmux prints "_" for what it cannot show, and "agent_é" would compare equal to "agent__".
  const client = execFile('tmux', ['-u', '-S', socket, ...args], options, (error, stdout, stderr) => {
    asking.delete(client)
    if (error) reject(Object.assign(error, { stderr }))
    else resolve(stdout.split('\n').filter(line => line !== ''))
  })
  asking.add(client)
  const wait = onServerTimeout(serverPid, () => {
    client.kill('SIGKILL')
    // A client passes its input and output on to its server, which holds them open although the client is gone.
    for (const stream of [client.stdin, client.stdout, client.stderr]) stream?.destroy()
    reject(new Error('it did not answer in time'))
  })
  return promise.finally(() => wait[Symbol.dispose]())
}

/** Those who wait for an answer. A stopped server keeps its clients for ever, also after we have ended. */
const asking = new Set<ChildProcess>()
process.on('exit', () => {
  for (const client of asking) client.kill('SIGKILL')
})

/** Our environment without the pane that we may run in: tmux would take it for the target of a command that names none. */
function outsideOfPanes(): NodeJS.ProcessEnv {
  const { TMUX: _tmux, TMUX_PANE: _pane, ...rest } = process.env
  return rest
}

/** Why no client could be started, by what the system said. */
const NOT_STARTED: Record<string, string> = {
  ENOENT: 'there is no tmux on the PATH',
  EACCES: 'the tmux on the PATH may not be run',
  EMFILE: 'this process may open no more files (see "ulimit -n")',
  ENFILE: 'the machine can open no more files',
  EAGAIN: 'this user may start no more processes (see "ulimit -u")',
  ENOMEM: 'the machine has no memory for another process',
}

function failureOf(error: unknown): string {
  const why = NOT_STARTED[systemCode(error) ?? '']
  if (why !== undefined) return why
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  return said === '' ? messageOf(error) : `it said "${said}"`
}

/** True when nobody listens on the socket, or when that comes about while we wait. */
async function isDeserted(socket: string): Promise<boolean> {
  const deadline = performance.now() + SERVER_EXIT_MS
  while (await isListening(socket)) {
    if (performance.now() > deadline) return false
    await sleep(10)
  }
  return true
}
