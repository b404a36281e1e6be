import { spawn } from 'node:child_process'
import { quoteForRunShell } from '../platform/shell.ts'
import { queryTmux } from '../tmux/query.ts'
import { NAMED_SOCKETS, SEARCHED_FOLDER } from '../tmux/sockets.ts'
import { CLEANUP_LOG } from './cleanup-log.ts'

/** The variables that a program outside the agent inherits from us: where things are, and nothing that names the agent. */
const KEPT = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'TMUX_TMPDIR',
  NAMED_SOCKETS,
  SEARCHED_FOLDER,
  CLEANUP_LOG,
  'NODE_COMPILE_CACHE',
]

/**
 * Starts a Node program that outlives the agent which the caller runs in, and that no evidence ties to that agent. The
 * program gets an environment without the agent's marks, no terminal, and /dev/null for input and output.
 *
 * The tmux server starts it, if there is one: the program outlives the pane, and a subreaper or a cgroup that holds the
 * agent does not hold the server's children. Otherwise a shell starts it and ends at once; the kernel then gives the
 * program to process 1, or to a subreaper of the agent's, which the program outlives. Throws `tmux-unreachable` when tmux
 * does not reply.
 */
export async function spawnDetached(
  program: string,
  args: string[],
  server?: { socket: string; pid?: number },
): Promise<void> {
  const command = detached([process.execPath, program, ...args])
  if (server) {
    const reply = await queryTmux(server.socket, ['run-shell', '-b', command], server.pid)
    if (reply !== 'no-server') return
  }
  const shell = spawn('/bin/sh', ['-c', command], { cwd: '/', detached: true, stdio: 'ignore' })
  await new Promise((resolve, reject) => shell.on('exit', resolve).on('error', reject))
}

/**
 * A line for sh that starts a command in the background and ends. In the background, because a tmux server that
 * exits with its last session sends TERM to its jobs, and the job is only the shell (3.3a). `env -i`, because a job
 * inherits the session's variables, the agent's marker among them.
 */
function detached(command: string[]): string {
  const kept = KEPT.flatMap(name => (process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`]))
  const words = ['/usr/bin/env', '-i', ...kept, ...command].map(quoteForRunShell).join(' ')
  return `cd / && ${words} </dev/null >/dev/null 2>&1 &`
}
