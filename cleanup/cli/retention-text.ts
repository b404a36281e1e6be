import path from 'node:path'
import { formatBytes } from '../platform/bytes.ts'
import { holdText } from '../retention/hold.ts'
import { pathOf } from '../retention/log-file.ts'
import type { PlannedFile, RetentionPlan, RetentionReport } from '../retention/plan-types.ts'

const DAY_MS = 86_400_000

/** A plan for people: every file with its class, size, age and fate, then the sums. One file a line, whatever its name. */
export function planText(plan: RetentionPlan): string[] {
  const lines: string[] = []
  for (const { workspace, hold } of plan.workspaces) {
    lines.push(`${workspace}${hold ? `  (hold ${holdText(hold)})` : ''}`)
    const files = plan.files.filter(file => file.workspace === workspace)
    if (files.length === 0) lines.push('  no archives')
    for (const file of files) lines.push(`  ${fileLine(file, plan.clock.wallMs)}`)
  }
  lines.push('', 'In all:')
  for (const { action, rule, class: kind, files, bytes } of plan.totals)
    lines.push(
      `  ${action.padEnd(8)} ${kind.padEnd(8)} ${String(files).padStart(6)} ${files === 1 ? 'file ' : 'files'} ${formatBytes(bytes).padStart(6)}  ${rule}`,
    )
  return lines
}

/** What became of a plan that is only shown. */
export function dryText({ files }: RetentionPlan): string {
  const isToDo = files.some(({ action }) => action === 'remove' || action === 'compress')
  return isToDo ? 'Nothing was changed; --apply does it.' : 'There is nothing to remove or compress.'
}

/** What was done of a plan, for people: what did not go as planned, then the sums. */
export function reportText({ outcomes }: RetentionReport): string[] {
  const lines = outcomes
    .filter(({ outcome }) => outcome !== 'removed' && outcome !== 'compressed')
    .map(({ file, outcome, why }) => `left: ${pathOf(file)}: ${outcome}, ${why}`)
  for (const done of ['removed', 'compressed'] as const) {
    const files = outcomes.filter(({ outcome }) => outcome === done)
    const bytes = files.reduce((sum, { savedBytes }) => sum + savedBytes, 0)
    if (files.length > 0 || done === 'removed')
      lines.push(
        `${files.length} ${files.length === 1 ? 'file' : 'files'} ${done}, ${formatBytes(bytes)} less in the archives`,
      )
  }
  return lines
}

function fileLine(file: PlannedFile, nowMs: number): string {
  const age = file.sinceMs === undefined ? '?' : `${((nowMs - file.sinceMs) / DAY_MS).toFixed(1)} d`
  const name = path.join(file.taskId, file.part, file.name)
  return `${file.action.padEnd(8)} ${file.class.padEnd(8)} ${formatBytes(file.bytes).padStart(6)} ${age.padStart(8)}  ${name}  (${file.why})`
}
