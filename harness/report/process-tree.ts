import type { Finding } from '../verdict/verdict.ts'

/** A line of a tree: the lines that lead to it from its parents, and its text. */
export interface TreeLine {
  branch: string
  text: string
  /** Why it counts as its agent's. */
  evidence?: string
}

/**
 * The processes among the findings as a tree, each with its pane, with what it holds open, and with the evidence. A process whose
 * parent is no finding is at the top.
 */
export function processTree(findings: readonly Finding[]): TreeLine[] {
  const processes = findings.filter(({ kind, pid }) => kind === 'process' && pid !== undefined)
  const pids = new Set(processes.map(({ pid }) => pid))
  const visited = new Set<number | undefined>()
  const lines: TreeLine[] = []
  const visit = (one: Finding, before: string, isLast: boolean, depth: number) => {
    // A pid that was reused while the table was read could close a circle.
    if (visited.has(one.pid)) return
    visited.add(one.pid)
    const branch = depth === 0 ? '' : `${before}${isLast ? '└─ ' : '├─ '}`
    const below = depth === 0 ? '' : `${before}${isLast ? '   ' : '│  '}`
    const children = processes.filter(({ pid, ppid }) => ppid === one.pid && !visited.has(pid))
    lines.push({ branch, text: one.what, ...(one.owner && { evidence: one.owner.evidence }) })
    for (const text of held(one, findings))
      lines.push({ branch: `${below}${children.length > 0 ? '│  ' : '   '}`, text })
    children.forEach((child, at) => {
      visit(child, below, at === children.length - 1, depth + 1)
    })
  }
  for (const one of processes) if (!pids.has(one.ppid)) visit(one, '', true, 0)
  for (const one of processes) visit(one, '', true, 0)
  return lines
}

/** The panes whose process it is, and the files that it holds open. */
function held({ pid }: Finding, findings: readonly Finding[]): string[] {
  const mine = findings.filter(one => one.pid === pid)
  const panes = mine.flatMap(({ kind, what }) => (kind === 'pane' ? what : []))
  const names = mine.flatMap(({ kind, what }) => (kind === 'descriptor' ? what.split(', open for')[0] : []))
  const files = names.length > 0 ? [`holds ${[...new Set(names)].join(', ')} open`] : []
  return [...panes, ...files]
}
