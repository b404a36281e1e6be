import type { PlannedFile, Total } from './plan-types.ts'

/** How many files and bytes go and stay, by class and rule, in the order of the plan. */
export function totals(files: readonly PlannedFile[]): Total[] {
  const sums = new Map<string, Total>()
  for (const file of files) {
    const key = `${file.action} ${file.rule} ${file.class}`
    const sum = sums.get(key) ?? {
      class: file.class,
      action: file.action,
      rule: file.rule,
      files: 0,
      bytes: 0,
    }
    sum.files += 1
    sum.bytes += file.bytes
    sums.set(key, sum)
  }
  return [...sums.values()].sort((a, b) => orderOf(a) - orderOf(b))
}

const ACTIONS: PlannedFile['action'][] = ['remove', 'compress', 'keep', 'leave']
const orderOf = ({ action }: Total): number => ACTIONS.indexOf(action)
