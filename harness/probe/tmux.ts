import type { PaneResource, ServerResource, SessionResource } from '../snapshot/snapshot.ts'
import { heldSockets, openDescriptors } from './descriptors.ts'
import { pidsNamed } from './processes.ts'
import { listUnix } from './sockets.ts'
import { runTool } from './tools.ts'

export interface TmuxReading {
  servers: ServerResource[]
  sessions: SessionResource[]
  panes: PaneResource[]
  problems: string[]
}

const nothing: TmuxReading = { servers: [], sessions: [], panes: [], problems: [] }

/** The name comes last, because only it may contain spaces. Newer versions of tmux escape control characters. */
const separator = ' '
const fields = [
  'pid',
  'session_id',
  'session_created',
  'pane_id',
  'pane_pid',
  'pane_tty',
  'pane_dead',
  'session_name',
]
const format = fields.map(field => `#{${field}}`).join(separator)

/** Every tmux server of the sandbox, with its sessions and panes. All servers are queried at once. */
export async function readTmux(): Promise<TmuxReading> {
  const readings = await Promise.all(listSockets().map(readServer))
  return {
    servers: readings.flatMap(({ servers }) => servers),
    sessions: readings.flatMap(({ sessions }) => sessions),
    panes: readings.flatMap(({ panes }) => panes),
    problems: readings.flatMap(({ problems }) => problems),
  }
}

function problem(text: string): TmuxReading {
  return { ...nothing, problems: [text] }
}

async function readServer(socket: string): Promise<TmuxReading> {
  try {
    return await queryServer(socket)
  } catch (error) {
    return problem(String(error))
  }
}

async function queryServer(socket: string): Promise<TmuxReading> {
  const { code, stdout, stderr } = await runTool('tmux', [
    '-u',
    '-S',
    socket,
    'list-panes',
    '-a',
    '-F',
    format,
  ])
  if (code !== 0) {
    // A server that ends leaves the file of its socket, and tmux has several messages for that. Any other error means
    // that the server could not be queried, which does not mean that it is gone.
    if (/no server running|error connecting|server exited|lost server/.test(stderr)) return nothing
    return problem(`tmux -S ${socket} list-panes answered with exit ${code}: ${stderr.trim()}`)
  }
  return parsePanes(socket, stdout)
}

/**
 * From tmux 3.7 on, a server that gets no processor for 100 ms leaves out the rest of a line, without an error. The name, at
 * the end of each, is never empty.
 */
export function parsePanes(socket: string, stdout: string): TmuxReading {
  const reading: Lists = { servers: new Map(), sessions: new Map(), panes: [] }
  for (const line of stdout.split('\n').slice(0, -1)) {
    const name = line
      .split(separator)
      .slice(fields.length - 1)
      .join(separator)
    if (name === '')
      return problem(`tmux -S ${socket} list-panes answered only a part of a line: ${JSON.stringify(line)}`)
    addPane(socket, line, reading)
  }
  const { servers, sessions, panes } = reading
  return { servers: [...servers.values()], sessions: [...sessions.values()], panes, problems: [] }
}

interface Lists {
  servers: Map<string, ServerResource>
  sessions: Map<string, SessionResource>
  panes: PaneResource[]
}

function addPane(socket: string, line: string, reading: Lists): void {
  const [serverPid, session, created, pane, pid, tty, dead, ...name] = line.split(separator)
  const server = { socket, serverPid: Number(serverPid) }
  const sessionName = name.join(separator)
  const serverId = `server ${serverPid} ${socket}`
  const sessionId = `session ${serverPid}:${session}`
  if (!reading.servers.has(serverId)) {
    reading.servers.set(serverId, { kind: 'server', id: serverId, socket, pid: server.serverPid })
  }
  if (!reading.sessions.has(sessionId)) {
    reading.sessions.set(sessionId, {
      kind: 'session',
      id: sessionId,
      ...server,
      session: session ?? '',
      name: sessionName,
      created: Number(created),
    })
  }
  reading.panes.push({
    kind: 'pane',
    id: `pane ${serverPid}:${pane}`,
    ...server,
    session: session ?? '',
    sessionName,
    pane: pane ?? '',
    pid: Number(pid),
    tty: tty ?? '',
    dead: dead === '1',
  })
}

/**
 * The sockets of all tmux servers in the sandbox, wherever they are: agents and orchestrators choose their own with -L,
 * -S and TMUX_TMPDIR.
 */
function listSockets(): string[] {
  const held = new Set(pidsNamed('tmux: server').flatMap(pid => heldSockets(openDescriptors(pid))))
  return listUnix().flatMap(({ path, inode }) => (held.has(inode) ? path : []))
}
