import type { Identity } from '../platform/processes/identity.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { locate, type TmuxLocation } from './locate.ts'
import { queryTmux, tmuxUnreachable } from './query.ts'

/**
 * Kills an agent's session by its id and checks that it is gone. Sessions whose panes outlive their processes
 * (`remain-on-exit`) need this. Throws a CleanupError (`tmux-unreachable`) unless tmux confirms it.
 */
export async function killSession(
  entry: AgentEntry,
  { path, server }: TmuxLocation,
  { id }: { id: string },
): Promise<void> {
  const kill = ['kill-session', '-t', id]
  // The session may close by itself before the kill arrives, and tmux then reports an error. Only the second query counts.
  const failure = await queryTmux(path, onServer(server, kill), server?.pid).then(
    () => undefined,
    (error: unknown) => error,
  )
  if ((await locate(entry, path)).session)
    throw failure ?? tmuxUnreachable(path, kill, `it still lists the session ${id}`)
}

/** The same for the agent's panes in a shared session, which closes by itself with its last pane. */
export async function killPanes(entry: AgentEntry, { path, server, panes }: TmuxLocation): Promise<void> {
  if (panes.length === 0) return
  const failures: unknown[] = []
  for (const { id } of panes)
    await queryTmux(path, onServer(server, ['kill-pane', '-t', id]), server?.pid).catch(error =>
      failures.push(error),
    )
  const own = new Set(panes.map(({ id }) => id))
  const left = (await locate(entry, path)).panes.find(({ id }) => own.has(id))
  if (left) throw failures[0] ?? tmuxUnreachable(path, ['kill-pane'], `it still lists the pane ${left.id}`)
}

/**
 * A command that only the given server executes. Another server that has taken its place numbers its sessions and panes
 * from 0 again, so the same id would name another user's session.
 */
function onServer(server: Identity | undefined, [command, flag, target]: readonly string[]): string[] {
  return ['if-shell', '-F', `#{==:#{pid},${server?.pid}}`, `${command} ${flag} '${target}'`]
}
