import { queryTmux, tmuxUnreachable } from './query.ts'
import type { TmuxServer } from './server.ts'

/** A pane as one session shows it, and what tells whether anybody has looked at it. */
export interface ShownPane {
  id: string
  pid: number
  session: { id: string; name: string }
  /** True when somebody who looks at the session has seen this pane in front: its window is or was the current one, and it the active pane. */
  wasInFront: boolean
  /** When somebody last looked at the session, in seconds since 1970: now if a client is attached, 0 if none ever was. */
  lookedAt: number
}

// Only a session's name can contain a space, so it comes last.
const FORMAT =
  '#{pane_id} #{pane_pid} #{session_id} #{session_attached},#{session_last_attached},#{session_activity} #{window_active}#{?window_stack_index,1,0} #{pane_active}#{pane_last} #{session_name}'
const ASK = ['list-panes', '-a', '-F', FORMAT]

/** The panes of a server, once for each session that shows them. Throws a CleanupError (`tmux-unreachable`) where that is not certain. */
export async function readPanes({ path, pid }: Pick<TmuxServer, 'path' | 'pid'>): Promise<ShownPane[]> {
  const answer = await queryTmux(path, ASK, pid)
  if (answer === 'no-server') return []
  return answer.map(line => {
    const found = /^(%\d+) (\d*) (\$\d+) (\d+),(\d*),(\d+) ([01]{2}) ([01]{1,2}) (.+)$/.exec(line)
    if (!found) throw tmuxUnreachable(path, ASK, `it answered ${JSON.stringify(line)}`)
    const [, id = '', pane, session = '', attached, lastAttached, active, window, paneFlags, name = ''] =
      found
    const isLookedAt = Number(attached) > 0
    return {
      id,
      pid: Number(pane),
      session: { id: session, name },
      wasInFront: window !== '00' && paneFlags?.includes('1') === true,
      lookedAt: isLookedAt ? Date.now() / 1_000 : Number(lastAttached) && Number(active),
    }
  })
}

/** The command that a pane of a server was started with, as tmux shows it; undefined when that server does not answer, or has no such pane. */
export async function startCommandOf(
  { path, pid }: Pick<TmuxServer, 'path' | 'pid'>,
  pane: string,
): Promise<string | undefined> {
  const ask = ['display-message', '-p', '-t', pane, '#{pid} #{pane_id} #{pane_start_command}']
  const answer = await queryTmux(path, ask, pid).catch(() => [])
  const prefix = `${pid} ${pane} `
  const text = typeof answer === 'string' ? '' : answer.join('\n')
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined
}
