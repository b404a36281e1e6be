import { argumentsOf } from '../platform/processes/details.ts'
import { descriptorTarget, listDescriptors } from '../platform/processes/open-files.ts'
import { isPseudoTerminal } from '../platform/processes/origin.ts'
import { USER_HZ } from '../platform/processes/stat.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import type { ClosedWindows, SharedServer } from './observation.ts'

/*
 * GNU screen runs one server for each session. Like a tmux server, it hands the environment of whoever started it to every
 * window, also to those that a user opens once attached. It tells nobody which client opened a window.
 */

/** By the name that screen gives its server for ps: it only spares, and is never a reason to claim anything. */
export const isScreenServer = ({ pid, comm }: SeenProcess): boolean =>
  comm === 'screen' && argumentsOf(pid)[0] === 'SCREEN'

/** How long after its server, in clock ticks, a window may begin that the same command opened. */
const OPENED_WITHIN = 2 * USER_HZ

/**
 * Tells whether others live in a screen session that the agent started; undefined when nobody else does. A window that began
 * later than the session may be somebody else's. While another client than the agent's is attached, each of them may be.
 */
export function sharedScreen(
  server: SeenProcess,
  table: ProcessTable,
  isAgents: (pid: number) => boolean,
): SharedServer | undefined {
  const clients = terminalsShownBy(server.pid)
    .map(terminal => clientOn(terminal, table))
    .filter(client => client === undefined || !isAgents(client.pid))
  const windows = windowsOf(server, table)
  const later = windows.filter(window => !isOpenedWith(server, window))
  if (clients.length + later.length === 0) return undefined
  const own = clients.length > 0 ? [] : windows.filter(window => !later.includes(window))
  const holds = [
    ...clients.map(client =>
      client ? `a client, process ${client.pid}, is attached` : 'a client is attached',
    ),
    ...later.map(({ pid, comm }) => `it holds process ${pid} (${comm})`),
  ].join(', and ')
  return {
    server: { pid: server.pid, start: server.start },
    own: new Map(own.map(({ pid, start }) => [pid, { start, pane: 'its first window' }])),
    ownSessions: new Set(),
    othersSessions: new Set(),
    ownWindows: new Set(own.flatMap(({ environment }) => environment.window ?? [])),
    why: `The screen session ${server.pid}, which the agent started, is left running: ${holds}, and nothing shows that this is the agent’s. "screen -x ${server.pid}" shows it; "screen -S ${server.pid} -X quit" ends it.`,
  }
}

/**
 * The windows of a screen session that somebody may have opened by hand, as far as they have closed: all but those that were
 * opened with it, the first of which has the number 0. Nothing tells when anybody was attached.
 */
export function closedInScreen(server: SeenProcess, table: ProcessTable): ClosedWindows {
  const own = windowsOf(server, table).filter(window => isOpenedWith(server, window))
  const numbers = new Set([FIRST_WINDOW, ...own.flatMap(({ environment }) => environment.window ?? [])])
  const holds = ({ environment: { screen = '', window } }: SeenProcess) =>
    Number.parseInt(screen, 10) === server.pid && window !== undefined && !numbers.has(window)
  return { sinceMs: 0, untilMs: Number.POSITIVE_INFINITY, holds }
}

const FIRST_WINDOW = '0'

const windowsOf = (server: SeenProcess, table: ProcessTable): SeenProcess[] =>
  [...table.values()].filter(({ ppid, tty }) => ppid === server.pid && tty !== 0)

const isOpenedWith = (server: SeenProcess, { start }: SeenProcess): boolean =>
  start - server.start <= OPENED_WITHIN

/** The numbers of the pseudo-terminals that a screen server draws on: it opens the terminal of each client. */
function terminalsShownBy(pid: number): number[] {
  const targets = listDescriptors(pid).map(one => descriptorTarget(one))
  return [...new Set(targets.flatMap(target => /^\/dev\/pts\/(\d+)$/.exec(target ?? '')?.[1] ?? []))].map(
    Number,
  )
}

const clientOn = (terminal: number, table: ProcessTable): SeenProcess | undefined =>
  [...table.values()].find(
    ({ comm, tty }) => comm === 'screen' && isPseudoTerminal(tty) && minorOf(tty) === terminal,
  )

/** The minor number in a device number as /proc shows it (proc_pid_stat(5)). */
const minorOf = (device: number): number => (device & 0xff) | ((device >> 12) & 0xfff00)
