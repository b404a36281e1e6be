import type { Life, Timeline } from '../../../timeline/timeline.ts'
import { firstDeploy } from '../time/steps.ts'

/** Three moments of a scenario at which its processes are shown as a tree. */
export const momentNames = { before: 'Before', peak: 'At the peak', after: 'After' } as const

export type Moment = keyof typeof momentNames

/** When each of them was, ms. At the peak there were the most processes. */
export function momentAt(moment: Moment, timeline: Timeline): number {
  if (moment === 'before') return firstDeploy(timeline)
  if (moment === 'after') return timeline.endedAt
  const [first] = timeline.samples.toSorted((one, other) => other.counts.processes - one.counts.processes)
  return first?.at ?? 0
}

export interface ProcessNode {
  life: Life
  /** T: stopped, Z: zombie. */
  state: 'T' | 'Z' | 'runs'
  children: ProcessNode[]
}

/** The processes that lived at a time, below their parents of that time. */
export function treeAt(lives: readonly Life[], at: number): ProcessNode[] {
  const living = lives.filter(
    ({ from, to, process }) => process && from <= at && (to === undefined || to > at),
  )
  const nodes = new Map(
    living.map(life => [life.process?.pid, { life, state: stateAt(life, at), children: [] } as ProcessNode]),
  )
  const roots: ProcessNode[] = []
  for (const node of nodes.values()) {
    const parent = nodes.get(parentAt(node.life, at))
    if (parent && !isBelow(parent, node, nodes, at)) parent.children.push(node)
    else roots.push(node)
  }
  return roots
}

function parentAt({ process }: Life, at: number): number | undefined {
  return process?.parents?.findLast(one => one.at <= at)?.ppid ?? process?.ppid
}

function stateAt({ process }: Life, at: number): ProcessNode['state'] {
  return process?.states?.findLast(one => one.at <= at)?.state ?? 'runs'
}

/** A pid that was reused while a snapshot was taken could close a circle. */
function isBelow(
  one: ProcessNode,
  other: ProcessNode,
  nodes: Map<number | undefined, ProcessNode>,
  at: number,
): boolean {
  const visited = new Set<ProcessNode>()
  for (let up: ProcessNode | undefined = one; up && !visited.has(up); up = nodes.get(parentAt(up.life, at))) {
    if (up === other) return true
    visited.add(up)
  }
  return false
}
