import type { FileDecision, Total } from './plan-types.ts'

const ACTIONS: FileDecision['action'][] = ['remove', 'keep', 'leave']

/** Files and bytes by action, rule and class: removals first. */
export function totals(files: readonly FileDecision[]): Total[] {
  const groups = Map.groupBy(files, file => `${file.action} ${file.rule} ${file.class}`)
  const sums = [...groups.values()].flatMap(([first, ...rest]): Total[] => {
    if (!first) return []
    const { class: kind, action, rule } = first
    const bytes = rest.reduce((sum, file) => sum + file.bytes, first.bytes)
    return [{ class: kind, action, rule, files: rest.length + 1, bytes }]
  })
  return sums.sort((a, b) => ACTIONS.indexOf(a.action) - ACTIONS.indexOf(b.action))
}
