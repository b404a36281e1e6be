import type { PaneResource, ProcessResource, ServerResource, SessionResource } from '../snapshot/snapshot.ts'
import { heldSockets, openDescriptors } from './descriptors.ts'
import { listUnix } from './sockets.ts'
import { runTool } from './tools.ts'

export interface TmuxReading {
  servers: ServerResource[]
  sessions: SessionResource[]
  panes: PaneResource[]
  problems: string[]
}

/** The name comes last: it alone may hold spaces. Control characters as separators are escaped by newer versions. */
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

/** Every tmux server among the processes, with its sessions and panes. */
export async function readTmux(processes: ProcessResource[]): Promise<TmuxReading> {
  const reading: TmuxReading = { servers: [], sessions: [], panes: [], problems: [] }
  for (const socket of listSockets(processes)) {
    await readServer(socket, reading).catch(error => reading.problems.push(String(error)))
  }
  return reading
}

async function readServer(socket: string, reading: TmuxReading): Promise<void> {
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
    // A socket whose server ended stays behind as a file; tmux words that in several ways. Every
    // other error means that we could not ask, and what could not be asked is not gone.
    if (!/no server running|error connecting|server exited|lost server/.test(stderr)) {
      reading.problems.push(`tmux -S ${socket} list-panes answered with exit ${code}: ${stderr.trim()}`)
    }
    return
  }
  for (const line of stdout.split('\n').filter(Boolean)) addPane(socket, line, reading)
}

function addPane(socket: string, line: string, reading: TmuxReading): void {
  const [serverPid, session, created, pane, pid, tty, dead, ...name] = line.split(separator)
  const server = { socket, serverPid: Number(serverPid) }
  const sessionName = name.join(separator)
  const serverId = `server ${serverPid} ${socket}`
  const sessionId = `session ${serverPid}:${session}`
  if (!reading.servers.some(known => known.id === serverId)) {
    reading.servers.push({ kind: 'server', id: serverId, socket, pid: server.serverPid })
  }
  if (!reading.sessions.some(known => known.id === sessionId)) {
    reading.sessions.push({
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
 * The sockets on which a tmux server of the sandbox listens, wherever they are: agents and orchestrators
 * choose their own with -L, -S and TMUX_TMPDIR.
 */
function listSockets(processes: ProcessResource[]): string[] {
  const servers = processes.filter(({ comm }) => comm === 'tmux: server')
  const held = new Set(servers.flatMap(({ pid }) => heldSockets(openDescriptors(pid))))
  return listUnix().flatMap(({ path, inode }) => (held.has(inode) ? path : []))
}
