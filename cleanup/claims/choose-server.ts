/*
 * Which tmux server has an agent of which only a name is recorded. Any server of the user's may (`tmux -L work`), and several
 * may have a session of that name: another orchestrator's, another workspace's. So the name decides nowhere that something
 * better does, and where nothing does, nothing is ended.
 */

/** A server that was asked, as it concerns one agent. */
export interface Candidate {
  /** The default server, or one that the user named: there the name is enough. */
  isTrusted: boolean
  /** It has a session of the agent's name. */
  isNamed: boolean
  /** A process in one of its panes writes the agent's log. */
  isWriting: boolean
  /** Its session of that name carries the agent's marker. */
  isMarked: boolean
  /** Something shows that its session of that name is another's. */
  isAnothers: boolean
}

/**
 * Chooses the agent's server: the one that proof names, otherwise the only one whose session may be the agent's. Undefined
 * when none is, an array when several are and nothing shows which. `mayEnd`: its session may be ended, because there is
 * proof, or because the server is trusted.
 */
export function chooseServer<C extends Candidate>(
  candidates: readonly C[],
): { server: C; mayEnd: boolean } | C[] | undefined {
  const writing = candidates.filter(({ isWriting }) => isWriting)
  const proven = [
    writing,
    writing.filter(({ isNamed }) => isNamed),
    candidates.filter(({ isNamed, isMarked }) => isNamed && isMarked),
  ].find(some => some.length === 1)
  if (proven?.[0]) return { server: proven[0], mayEnd: true }
  if (writing.length > 1) return writing
  const named = candidates.filter(({ isNamed }) => isNamed)
  const possible = named.filter(({ isAnothers }) => !isAnothers)
  // One that is another's all the same is left alone later, and the reason is named (shared-session.ts).
  const chosen = possible.length > 0 ? possible : named.filter(({ isTrusted }) => isTrusted)
  if (chosen.length > 1) return chosen
  const [server] = chosen
  return server && { server, mayEnd: server.isTrusted }
}
