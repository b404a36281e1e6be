import { isAdopter } from '../platform/processes/ancestry.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { socketsListenedToBy } from './listener.ts'

/*
 * The one answer to "is this process a tmux server?". A server calls itself `<program>: server`, cut to 15 bytes, and the
 * program may have any name: tmux-3.4, .tmux-wrapped, byobu, tmate. So what it does decides: it listens on a Unix socket, and
 * what it starts has TMUX=<that socket>,<its pid>,<session>.
 *
 * The answer only ever spares: what others live in, and what comes from somebody else's server. An agent can give its own
 * process such a name or such a child, and that is then named instead of ended. Nobody can do so for somebody else's process:
 * only a child counts, and what adopts orphans is no server.
 */

/** The usual name, which saves the lookup. */
const USUAL = /^tmux: server/
/** What may be a server by its name alone, if it listens. A client does not. */
const POSSIBLE = /^tmux(?!: client)/

/** True for a tmux server, whatever its program is called. Without /proc, by the usual name only. */
export function isTmuxServer(process: SeenProcess, table: ProcessTable): boolean {
  const { comm, kernel, pid } = process
  if (USUAL.test(comm)) return true
  if (kernel || isAdopter(process)) return false
  const isPossible = POSSIBLE.test(comm)
  const named = namedByChildren(table).get(process)
  if (!named && !isPossible) return false
  return socketsListenedToBy(pid).some(socket => isPossible || named?.has(socket))
}

/** The sockets that the children of a process name in TMUX together with its pid. */
type Named = ReadonlyMap<SeenProcess, ReadonlySet<string>>

/** By table, with the size that it had: a freeze adds to it. */
const known = new WeakMap<ProcessTable, { size: number; named: Named }>()

function namedByChildren(table: ProcessTable): Named {
  const before = known.get(table)
  if (before?.size === table.size) return before.named
  const named = new Map<SeenProcess, Set<string>>()
  for (const { ppid, environment } of table.values()) {
    if (environment.tmux === undefined || !environment.sharesPids) continue
    const [, socket, pid] = /^(.*),(\d+),-?\d+$/.exec(environment.tmux) ?? []
    const parent = table.get(ppid)
    // A process with the same TMUX has it from a server whose pid it was given.
    if (
      socket === undefined ||
      Number(pid) !== ppid ||
      !parent ||
      parent.environment.tmux === environment.tmux
    )
      continue
    named.set(parent, (named.get(parent) ?? new Set()).add(socket))
  }
  known.set(table, { size: table.size, named })
  return named
}
