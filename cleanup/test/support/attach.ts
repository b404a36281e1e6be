import { spawn } from 'node:child_process'
import type { Rig } from './rig.ts'
import { until } from './until.ts'

/** Attaches a client of the user's to a session, on a terminal of its own, and returns its pid. */
export async function attach(rig: Rig, session: string, ...how: string[]): Promise<number> {
  return attachTo(rig, rig.socket, session, ...how)
}

/** The same on the server of another socket. */
export async function attachTo(rig: Rig, socket: string, session: string, ...how: string[]): Promise<number> {
  const words = [
    'tmux',
    '-S',
    socket,
    ...(how.includes('-C') ? how : []),
    'attach-session',
    ...how.filter(one => one !== '-C'),
    '-t',
    `'=${session}:'`,
  ]
  const shown = () =>
    rig.tmux('-S', socket, 'list-clients', '-F', '#{client_pid}').split('\n').filter(Boolean).map(Number)
  const before = shown()
  const env = { ...process.env, TERM: 'xterm' }
  // The pipe stays open: script ends with its input.
  spawn('script', ['-qc', words.join(' '), '/dev/null'], { stdio: ['pipe', 'ignore', 'ignore'], env })
  return until('the client is attached', () => shown().find(pid => !before.includes(pid)))
}
