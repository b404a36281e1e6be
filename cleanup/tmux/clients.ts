import { uidOf } from '../platform/processes/owner.ts'
import { queryTmux, tmuxUnreachable } from './query.ts'
import type { TmuxServer } from './server.ts'

/** A client that shows a session of a tmux server to somebody. */
export interface TmuxClient {
  pid: number
  /** Its terminal, such as `/dev/pts/3`; empty in control mode. */
  tty: string
  /** The id of the session that it shows. */
  session: string
  /** The name of the session that it showed before, to which `switch-client -l` returns; empty for none. */
  lastSession: string
  /** When it attached, in seconds since 1970. */
  since: number
  isReadOnly: boolean
  /** A program speaks to it (`tmux -C`), such as a terminal that draws the panes itself. */
  isControlMode: boolean
}

// Only a session's name can contain a space, so it comes last.
const FORMAT =
  '#{client_pid} #{session_id} #{client_created} #{client_readonly}#{client_control_mode} #{client_tty} #{client_last_session}'
const ASK = ['list-clients', '-F', FORMAT]

/** The clients that are attached to a server. Throws a CleanupError (`tmux-unreachable`) where that is not certain. */
export async function readClients({ path, pid }: Pick<TmuxServer, 'path' | 'pid'>): Promise<TmuxClient[]> {
  const answer = await queryTmux(path, ASK, pid)
  if (answer === 'no-server') return []
  return answer.map(line => {
    const found = /^(\d+) (\$\d+) (\d+) ([01])([01]) (\S*) (.*)$/.exec(line)
    if (!found) throw tmuxUnreachable(path, ASK, `it answered ${JSON.stringify(line)}`)
    const [, client, session = '', since, readOnly, control, tty = '', lastSession = ''] = found
    return {
      pid: Number(client),
      tty,
      session,
      lastSession,
      since: Number(since),
      isReadOnly: readOnly === '1',
      isControlMode: control === '1',
    }
  })
}

/** Names a client for people. */
export function describeClient({ pid, tty, isReadOnly, isControlMode, since }: TmuxClient): string {
  const how = [isReadOnly && 'read-only', isControlMode && 'in control mode'].filter(Boolean)
  const on = tty === '' ? '' : ` on ${tty}`
  return `client ${pid} of user ${uidOf(pid) ?? '?'}${on}${how.length > 0 ? ` (${how.join(', ')})` : ''} since ${new Date(since * 1_000).toISOString()}`
}
