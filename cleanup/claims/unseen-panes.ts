import { attempt } from '../errors.ts'
import { beganMs } from '../platform/processes/details.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { everyAgent } from '../registry/read-all.ts'
import { serversFoundIn } from '../tmux/found-servers.ts'
import { readPanes, type ShownPane } from '../tmux/panes.ts'
import { namedSession } from '../tmux/recorded.ts'
import type { TmuxServer } from '../tmux/server.ts'
import type { Observation, UnseenPane } from './observation.ts'
import { agentsFolderOf, mayBeStartedBy } from './opened-elsewhere.ts'

/** A pane's process that the agent may have asked for. `folder`: the agent's folder that it began in; undefined for `respawn-pane`. */
interface Candidate {
  process: SeenProcess
  folder: string | undefined
}

/**
 * Finds the panes in others' sessions that the agent may have opened, or started again, and that nobody has looked at since.
 * A server is asked only if there is a candidate, which is rare. One that gives no answer shows nothing.
 */
export async function findUnseenPanes(observation: Observation): Promise<UnseenPane[]> {
  const mayBeAgents = mayBeStartedBy(observation)
  const folderOfAgent = agentsFolderOf(observation)
  const candidates = new Map<number, Candidate>()
  for (const process of panesIn(observation.table)) {
    if (!mayBeAgents(process)) continue
    const isRespawned = isOlderPane(process, observation)
    const folder = isRespawned ? undefined : folderOfAgent(process)
    if (isRespawned || folder !== undefined) candidates.set(process.pid, { process, folder })
  }
  const wanted = new Set([...candidates.values()].map(({ process }) => process.ppid))
  if (wanted.size === 0) return []
  const servers = await serversFoundIn(observation.table, wanted).catch(() => [])
  if (servers.length === 0) return []
  const isAgents = namesOfAgents(observation)
  const found = await Promise.all(
    servers.map(async ({ answer }) => {
      const panes = answer && (await panesOf(answer))
      const others = panes?.filter(({ session }) => !isAgents(session.name))
      return answer && others ? unseen(others, candidates, answer.path) : []
    }),
  )
  return found.flat()
}

const panesByServer = new WeakMap<TmuxServer, Promise<ShownPane[] | undefined>>()

/** Asked once for a table, as its servers are. */
function panesOf(server: TmuxServer): Promise<ShownPane[] | undefined> {
  const asking = panesByServer.get(server) ?? readPanes(server).catch(() => undefined)
  panesByServer.set(server, asking)
  return asking
}

/**
 * True for a pane that is older than the agent's, though its process is younger: a server counts its panes. Two panes that
 * were opened one after the other may have processes of the same clock tick.
 */
function isOlderPane(
  { ppid, start, environment }: SeenProcess,
  { location: { recorded } }: Observation,
): boolean {
  const numberOf = (id: string) => Number(id.slice(1))
  if (recorded?.server_pid !== ppid || start === recorded.pane_start) return false
  return numberOf(environment.pane ?? '') < numberOf(recorded.pane_id)
}

const panesByTable = new WeakMap<ProcessTable, SeenProcess[]>()

/** The processes that tmux servers started in panes: few of a machine's, and the same for all agents. */
function panesIn(table: ProcessTable): SeenProcess[] {
  const isPane = ({ environment: { pane, tmux }, ppid }: SeenProcess) =>
    pane !== undefined && tmux?.includes(`,${ppid},`)
  const found = panesByTable.get(table) ?? [...table.values()].filter(isPane)
  panesByTable.set(table, found)
  return found
}

/** How long after somebody's key, in s, the pane that it opens may begin. tmux tells the time of the key to the second only. */
const OPENED_WITHIN_S = 2

/** Sessions of this name have a rule of their own (leftovers/sessions.ts). */
const AGENTS = 'agent_'

const namesByTable = new WeakMap<ProcessTable, Map<string, ReadonlySet<string>>>()

/** Recognises the sessions of agents by their names, also of those whose entries give them another one. */
function namesOfAgents({ ref: { workspace }, agents, table }: Observation): (name: string) => boolean {
  const byWorkspace = namesByTable.get(table) ?? new Map<string, ReadonlySet<string>>()
  const read = () => {
    const all = attempt(
      () => everyAgent(workspace).map(({ entry }) => entry),
      () => {},
    )
    return new Set((all ?? agents).map(entry => namedSession(entry).name))
  }
  const names = byWorkspace.get(workspace) ?? read()
  namesByTable.set(table, byWorkspace.set(workspace, names))
  return name => name.startsWith(AGENTS) || names.has(name)
}

function unseen(
  panes: readonly ShownPane[],
  candidates: ReadonlyMap<number, Candidate>,
  socket: string,
): UnseenPane[] {
  const bySession = Map.groupBy(panes, ({ session }) => session.id)
  const isOpenedWith = (session: readonly ShownPane[]) =>
    session.every(({ pid, lookedAt }) => lookedAt === 0 && candidates.get(pid)?.folder !== undefined)
  return [...Map.groupBy(panes, ({ id }) => id)].flatMap(([id, rows]) => {
    const [shown] = rows
    const { process, folder } = candidates.get(shown?.pid ?? 0) ?? {}
    if (!shown || !process) return []
    const beganAt = beganMs(process) / 1_000
    if (rows.some(row => row.wasInFront && row.lookedAt + OPENED_WITHIN_S >= beganAt)) return []
    const session = `the session ${shown.session.name} (${shown.session.id})`
    const isSession = isOpenedWith(bySession.get(shown.session.id) ?? [])
    const what = isSession ? session : `pane ${id} of ${session}`
    const how =
      folder === undefined
        ? `tmux started ${what} again`
        : `tmux opened ${what} in the agent’s folder ${folder}`
    const end = isSession ? `kill-session -t '${shown.session.id}'` : `kill-pane -t '${id}'`
    const why = `${how} while the agent lived, and nobody has looked at it since; "tmux -S ${socket} ${end}" ends it`
    return [{ pid: process.pid, start: process.start, why }]
  })
}
