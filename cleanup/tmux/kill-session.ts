import type { Identity } from '../platform/processes/identity.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { locate, type TmuxLocation } from './locate.ts'
import { queryTmux, tmuxUnreachable } from './query.ts'

/**
 * Kills an agent's session by its id, and sees that it is gone. It is needed where panes stay after their process
 * ended (`remain-on-exit`). Throws `tmux-unreachable` when tmux does not say so.
 */
export async function killSession(
  entry: AgentEntry,
  { path, server }: TmuxLocation,
  { id }: { id: string },
): Promise<void> {
  const kill = ['kill-session', '-t', id]
  // It may close by itself before the kill arrives. tmux's complaint is then no news, so only the second look counts.
  const complaint = await queryTmux(path, onServer(server, kill), server?.pid).then(
    () => undefined,
    (error: unknown) => error,
  )
  if ((await locate(entry)).session)
    throw complaint ?? tmuxUnreachable(path, kill, `it still lists the session ${id}`)
}

/** The same for the panes of a session that others are in too: it closes by itself with the last of all. */
export async function killPanes(entry: AgentEntry, { path, server, panes }: TmuxLocation): Promise<void> {
  if (panes.length === 0) return
  const complaints: unknown[] = []
  for (const { id } of panes)
    await queryTmux(path, onServer(server, ['kill-pane', '-t', id]), server?.pid).catch(error =>
      complaints.push(error),
    )
  const own = new Set(panes.map(({ id }) => id))
  const left = (await locate(entry)).panes.find(({ id }) => own.has(id))
  if (left) throw complaints[0] ?? tmuxUnreachable(path, ['kill-pane'], `it still lists the pane ${left.id}`)
}

/**
 * A command that only the server which was looked at carries out. One that has taken its place since counts its sessions
 * and panes from 0 again.
 */
function onServer(server: Identity | undefined, [command, flag, target]: readonly string[]): string[] {
  return ['if-shell', '-F', `#{==:#{pid},${server?.pid}}`, `${command} ${flag} '${target}'`]
}
