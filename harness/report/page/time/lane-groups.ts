import type { Life } from '../../../timeline/timeline.ts'

/** A process in the lanes of its agent. */
export interface Lane {
  life: Life
  /** How many of its ancestors are in the same group. */
  depth: number
}

export interface LaneGroup {
  /** Absent for processes of no known agent. */
  agent?: string
  isBaseline: boolean
  lanes: Lane[]
}

/** Lives by agent, in the order in which they appear; then those of no known agent, and last what was there before. */
export function groupLanes(lives: readonly Life[]): LaneGroup[] {
  const groups = Map.groupBy(lives, ({ agent, isBaseline }) => agent ?? (isBaseline ? 2 : 1))
  const order = (key: string | number) => (typeof key === 'string' ? 0 : key)
  return [...groups]
    .toSorted(([one], [other]) => order(one) - order(other))
    .map(([key, mine]) => ({
      ...(typeof key === 'string' && { agent: key }),
      isBaseline: key === 2,
      lanes: inTreeOrder(mine),
    }))
}

/** Each process below its first parent. */
function inTreeOrder(lives: readonly Life[]): Lane[] {
  const byParent = Map.groupBy(lives, ({ process }) => process?.ppid)
  const pids = new Set(lives.map(({ process }) => process?.pid))
  const lanes: Lane[] = []
  const placed = new Set<Life>()
  const place = (life: Life, depth: number) => {
    if (placed.has(life)) return
    placed.add(life)
    lanes.push({ life, depth })
    for (const child of byParent.get(life.process?.pid) ?? []) place(child, depth + 1)
  }
  for (const life of lives) if (!pids.has(life.process?.ppid)) place(life, 0)
  for (const life of lives) place(life, 0)
  return lanes
}
