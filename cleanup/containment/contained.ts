import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { isJson } from '../files/json.ts'
import { isCgroup, membersOf } from '../processes/cgroup.ts'
import type { Identity } from '../processes/identity.ts'
import { type AgentRef, agentMarker, orphansFile } from '../workspace/layout.ts'
import { realWorkspace } from '../workspace/real-path.ts'
import type { AgentEntry, Contained } from '../workspace/registry-types.ts'

// The agent can put a link or a pipe in that place.
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/** What holds an agent's processes together whatever they do to their parents, sessions and environments. */
export interface Containment {
  /** A process that the kernel gives the orphans below it to, instead of to process 1. */
  subreaper?: Identity
  cgroup?: { path: string; members: ReadonlySet<number> }
  /** Orphans that were seen below the subreaper before it ended: start times by pid. */
  noted: ReadonlyMap<number, number>
}

/**
 * The name of an agent's cgroup. It follows from whose it is, so that no registry can name somebody else's, and from the
 * workspace's real path, so that whoever comes by a link means the same.
 */
export function cgroupName(ref: AgentRef): string {
  return `leakrig-${createHash('sha256')
    .update(agentMarker({ ...ref, workspace: realWorkspace(ref.workspace) }))
    .digest('hex')
    .slice(0, 16)}`
}

/** What the registry says an agent is contained in, as it is now. */
export function readContainment(ref: AgentRef, entry: AgentEntry): Containment {
  const contained = recordedContainment(ref, entry)
  const noted = readNoted(ref, entry)
  if (contained?.by === 'tini') return { noted, subreaper: { pid: contained.pid, start: contained.start } }
  if (contained?.by !== 'cgroup') return { noted }
  return { noted, cgroup: { path: contained.path, members: new Set(membersOf(contained.path)) } }
}

/** The record when it is whole, and when a cgroup that it names can be this agent's. */
export function recordedContainment(ref: AgentRef, { contained }: AgentEntry): Contained | undefined {
  if (!isJson(contained)) return undefined
  const { by, pid, start, path: folder } = contained as Record<string, unknown>
  if (by === 'tini' && isNumber(pid) && pid > 1 && isNumber(start)) return { by, pid, start }
  const isOurs = typeof folder === 'string' && path.basename(folder) === cgroupName(ref) && isCgroup(folder)
  return by === 'cgroup' && isOurs ? { by, path: folder } : undefined
}

/**
 * The agent can write that file too, so a line that names a process older than the agent's pane is nobody's.
 */
function readNoted(ref: AgentRef, { tmux }: AgentEntry): ReadonlyMap<number, number> {
  const oldest = tmux?.pane_start
  const noted = new Map<number, number>()
  if (!isNumber(oldest)) return noted
  for (const line of readText(orphansFile(ref)).split('\n')) {
    const [, pid, start] = /^(\d+) (\d+)$/.exec(line) ?? []
    if (pid && Number(start) >= oldest) noted.set(Number(pid), Number(start))
  }
  return noted
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value)

function readText(file: string): string {
  try {
    return fs.readFileSync(file, { encoding: 'latin1', flag: O_RDONLY | O_NOFOLLOW | O_NONBLOCK })
  } catch {
    return ''
  }
}
