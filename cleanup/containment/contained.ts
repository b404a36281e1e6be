import { SMALL_BYTES } from '../platform/files/json.ts'
import { readWithin } from '../platform/files/regular-file.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { membersOf } from '../platform/processes/cgroup.ts'
import type { Identity } from '../platform/processes/identity.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { type AgentRef, adoptedChildrenFile } from '../registry/layout.ts'
import { isDeployedHere } from '../registry/world.ts'
import { recordedContainment } from './recorded.ts'
import { subreaperOf } from './subreaper.ts'

/** What holds an agent's processes together, whatever they do to their parents, sessions and environments. */
export interface Containment {
  /** The process that the kernel gives orphans below it to, instead of process 1. */
  subreaper?: Identity
  cgroup?: { path: string; members: ReadonlySet<number> }
  /** Processes that were seen below the subreaper before it ended: start times by pid. */
  noted: ReadonlyMap<number, number>
}

/** The containment that the registry records for an agent, as far as its processes and cgroup confirm it now. */
export function readContainment(ref: AgentRef, entry: AgentEntry): Containment {
  if (!isDeployedHere(entry)) return { noted: new Map() }
  const contained = recordedContainment(ref, entry)
  const noted = readNoted(ref, entry)
  const subreaper = subreaperOf(ref, entry)
  if (contained?.by !== 'cgroup') return { noted, ...(subreaper && { subreaper }) }
  return { noted, cgroup: { path: contained.path, members: new Set(membersOf(contained.path)) } }
}

/** The agent can write to that file too, so lines that name a process older than the agent's pane are ignored. */
function readNoted(ref: AgentRef, { tmux }: AgentEntry): ReadonlyMap<number, number> {
  const oldest = tmux?.pane_start
  const noted = new Map<number, number>()
  if (!isNumber(oldest)) return noted
  for (const line of readText(ref).split('\n')) {
    const [, pid, start] = /^(\d+) (\d+)$/.exec(line) ?? []
    if (pid && Number(start) >= oldest) noted.set(Number(pid), Number(start))
  }
  return noted
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value)

function readText(ref: AgentRef): string {
  const file = adoptedChildrenFile(ref)
  try {
    // Most agents have none, and readWithin, which opens every folder on the way, takes ten times as long to find that out.
    if (!statAt(file)) return ''
    return readWithin(ref.workspace, file, SMALL_BYTES)?.toString('utf8') ?? ''
  } catch {
    return ''
  }
}
