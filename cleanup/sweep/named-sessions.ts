import { CleanupError, type CleanupErrorCode } from '../errors.ts'
import { realWorkspace } from '../platform/files/real-path.ts'
import { quote, quoteForPeople } from '../platform/shell.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { type Registries, readRegistries } from '../registry/read-all.ts'
import { serversFoundIn } from '../tmux/found-servers.ts'
import { namedSession } from '../tmux/recorded.ts'
import type { TmuxServer } from '../tmux/server.ts'
import { trustedSockets } from '../tmux/sockets.ts'
import { isAskedFor } from './asked-for.ts'
import { findLeft, type LeftInWorkspace } from './left.ts'
import { findUnlisted, type UnlistedLeftovers } from './unlisted.ts'

/** What a sweep has found in a workspace, as far as it decides which sessions may be removed by their names. */
export interface FoundSessions {
  workspace: string
  registries: Registries
  left: LeftInWorkspace | undefined
  unlisted: Pick<UnlistedLeftovers, 'sessions' | 'problems'>
  /** Why nothing is known of what is left, in sentences. */
  problems: readonly string[]
}

/** Throws for the first of these sessions that a sweep of the workspace may not remove: what it is, where, why, and what helps. */
export async function requireSessions(names: readonly string[], found: FoundSessions): Promise<void> {
  for (const name of names) {
    const refusal = await refusalOf(name, found)
    if (refusal) throw refusal.error
  }
}

/**
 * Gives each session that was asked for to the first workspace whose sweep may remove it, before any of them is swept. Throws
 * for the first session that none may remove.
 */
export async function sessionsByWorkspace(
  names: readonly string[],
  workspaces: readonly string[],
  minAgeMs: number,
): Promise<ReadonlyMap<string, string[]>> {
  // Then its sweep refuses by itself, before it does anything.
  const [only] = workspaces
  if (names.length === 0 || (only !== undefined && workspaces.length === 1))
    return new Map([[only ?? '', [...names]]])
  const all: FoundSessions[] = []
  for (const workspace of workspaces) {
    const registries = readRegistries(workspace)
    const others = workspaces.filter(other => other !== workspace).map(readRegistries)
    const left = await findLeft(workspace, registries, others)
    const unlisted = await findUnlisted(workspace, registries, left, minAgeMs)
    all.push({ workspace, registries, left, unlisted, problems: registries.problems })
  }
  const given = new Map<string, string[]>(workspaces.map(workspace => [workspace, []]))
  for (const name of names) {
    const refusals: Refusal[] = []
    for (const found of all) {
      const refusal = await refusalOf(name, found)
      if (refusal?.isAmbiguous) throw refusal.error
      if (refusal) refusals.push(refusal)
      else {
        given.get(found.workspace)?.push(name)
        break
      }
    }
    if (refusals.length === all.length)
      throw (refusals.find(({ isSeen }) => isSeen) ?? refusals[0] ?? { error: new Error(name) }).error
  }
  return given
}

interface Refusal {
  error: CleanupError
  /** False where no session of that name was found. */
  isSeen: boolean
  /** True where several sessions may be meant. */
  isAmbiguous?: boolean
}

const refused = (why: string, isSeen = true, code: CleanupErrorCode = 'bad-argument'): Refusal => ({
  error: new CleanupError(code, `${why} Nothing was done.`),
  isSeen,
})

/** Undefined for a session that the sweep may remove. */
async function refusalOf(
  name: string,
  { workspace, registries, left, unlisted, problems }: FoundSessions,
): Promise<Refusal | undefined> {
  const quoted = `session ${JSON.stringify(name)}`
  const named = unlisted.sessions.filter(one => isAskedFor([name], one))
  const removable = named.filter(({ leftAlone }) => !leftAlone)
  const [one, ...more] = removable
  if (one && more.length > 0) {
    const where = removable.map(({ id, socket }) => `${id} on ${socket}`).join(', ')
    const words = `--session ${quote(`${one.socket}:${one.name}`)}`
    return {
      ...refused(
        `The ${quoted} is on ${removable.length} tmux servers (${where}); name the server too, as in "${words}".`,
      ),
      isAmbiguous: true,
    }
  }
  if (one) return undefined
  const [alone] = named
  if (alone?.leftAlone) {
    const { kind, why } = alone.leftAlone
    const remedy = kind === 'young' ? ' Add "--min-age 0s" to remove it all the same.' : ''
    return refused(`The ${quoted} (${alone.id} on ${alone.socket}) is left alone: ${why}.${remedy}`)
  }
  if (!left || unlisted.problems.length > 0)
    return refused(
      `Whether the ${quoted} is listed is not known: ${[...problems, ...unlisted.problems].join(' ')}`,
      true,
      'registry-unreadable',
    )
  const foreign = left.leftovers.foreign.find(one => isAskedFor([name], one))
  if (foreign)
    return refused(
      `The ${quoted} (${foreign.id} on ${foreign.socket}) belongs to the workspace ${foreign.workspace}: ${foreign.why}. "leakrig sweep ${foreign.workspace}" cleans up there.`,
    )
  const [server, session] = findSession(name, left.servers) ?? []
  if (server && session) {
    const where = `The ${quoted} (${session.id} on ${server.socket})`
    const lister = listerOf(session.name, registries)
    if (lister)
      return refused(
        `${where} is that of the agent ${lister}, which a registry of ${workspace} lists; "leakrig explain ${lister}" shows what a cleanup would do.`,
      )
    return session.name.startsWith('agent_')
      ? refused(
          `${where} belongs to an agent that a registry lists, or is shown together with one’s; only an unlisted session can be named.`,
        )
      : refused(
          `${where} is not named agent_*, and a sweep removes no other; "tmux -S ${quoteForPeople(server.socket)} kill-session -t '${session.id}'" does.`,
        )
  }
  const found = (await serversFoundIn(left.machine.table)).flatMap(({ answer }) => answer ?? [])
  const [elsewhere] = findSession(name, found) ?? []
  if (elsewhere)
    return refused(
      `The ${quoted} is on the tmux server ${elsewhere.socket}, and nothing ties that to ${realWorkspace(workspace)}; add "--socket-path ${elsewhere.socket}" to search there.`,
    )
  const asked = [...new Set([...trustedSockets(), ...left.servers.map(({ socket }) => socket)])]
  return refused(
    `There is no ${quoted} on ${asked.join(', ')}, or on any other tmux server of this user that was found; give the exact name of one that "leakrig sweep" shows as unlisted, and the server, if need be, with --socket-name or --socket-path.`,
    false,
  )
}

function findSession(name: string, servers: readonly TmuxServer[]) {
  for (const server of servers) {
    const session = server.sessions.find(one => isAskedFor([name], { name: one.name, socket: server.path }))
    if (session) return [server, session] as const
  }
  return undefined
}

/** The listed agent, as `<task>/<agent>`, to which a session belongs by its name. */
function listerOf(name: string, { tasks }: Registries): string | undefined {
  const isIts = (entry: AgentEntry) => name === `agent_${entry.id}` || name === namedSession(entry).name
  return [...tasks].flatMap(([taskId, { agents }]) =>
    agents.filter(isIts).map(({ id }) => `${taskId}/${id}`),
  )[0]
}
