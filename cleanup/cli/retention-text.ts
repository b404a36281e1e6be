import path from 'node:path'
import { holdText } from '../retention/hold.ts'
import { pathOf } from '../retention/log-file.ts'
import type { FileDecision, RetentionPlan, RetentionReport } from '../retention/plan-types.ts'
import { count, size } from './format.ts'

const DAY_MS = 86_400_000
/** `1023 KiB`, the longest that `size` writes. */
const SIZE_WIDTH = 8

/** A plan for people: every file with its class, size, age and fate, then the sums. One file a line, whatever its name. */
export function planText(plan: RetentionPlan): string[] {
  const lines: string[] = []
  for (const { workspace, hold } of plan.workspaces) {
    lines.push(`${workspace}${hold ? `  (${holdText(hold)})` : ''}`)
    const files = plan.files.filter(file => file.workspace === workspace)
    if (files.length === 0) lines.push('  no archives')
    for (const file of files) lines.push(`  ${fileLine(file, plan.clock.wallMs)}`)
  }
  lines.push('', 'In all:')
  for (const { action, rule, class: kind, files, bytes } of plan.totals)
    lines.push(
      `  ${action.padEnd(8)} ${kind.padEnd(8)} ${String(files).padStart(6)} ${files === 1 ? 'file ' : 'files'} ${size(bytes).padStart(SIZE_WIDTH)}  ${rule}`,
    )
  return lines
}

/** What became of a plan that is only shown. */
export function dryText({ files, problems }: RetentionPlan): string {
  const hasRemovals = files.some(({ action }) => action === 'remove')
  if (hasRemovals) return 'Nothing was changed; --apply does it.'
  return `There is nothing to remove${problems.length > 0 ? ' in what could be read' : ''}.`
}

/** What was done of a plan, for people: what did not go as planned, then the sums. */
export function reportText({ outcomes }: RetentionReport): string[] {
  const removed = outcomes.filter(({ outcome }) => outcome === 'removed')
  const bytes = removed.reduce((sum, { file }) => sum + file.bytes, 0)
  return [
    ...outcomes
      .filter(({ outcome }) => outcome !== 'removed')
      .map(({ file, outcome, why }) => `left: ${pathOf(file)}: ${outcome}, ${why}`),
    `${count(removed.length, 'file')} removed, ${size(bytes)} less in the archives`,
  ]
}

function fileLine(file: FileDecision, nowMs: number): string {
  const age = file.sinceMs === undefined ? '?' : `${((nowMs - file.sinceMs) / DAY_MS).toFixed(1)} d`
  const name = path.join(file.taskId, file.part, file.name)
  return `${file.action.padEnd(8)} ${file.class.padEnd(8)} ${size(file.bytes).padStart(SIZE_WIDTH)} ${age.padStart(8)}  ${name}  (${file.why})`
}
