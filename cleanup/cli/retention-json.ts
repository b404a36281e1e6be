import { pathOf } from '../retention/log-file.ts'
import type { RetentionPlan, RetentionReport } from '../retention/plan-types.ts'

/** A plan, and what was done of it, as the command prints it for programs. Sizes in bytes, ages in ms. */
export function planJson(plan: RetentionPlan, report?: RetentionReport): object {
  const outcomes = new Map(report?.outcomes.map(outcome => [outcome.file, outcome]))
  return {
    at: new Date(plan.clock.wallMs).toISOString(),
    applied: report !== undefined,
    workspaces: plan.workspaces,
    files: plan.files.map(file => {
      const { outcome, why: left } = outcomes.get(file) ?? {}
      return {
        path: pathOf(file),
        class: file.class,
        agent: file.agentId,
        bytes: file.bytes,
        ageMs: file.sinceMs === undefined ? undefined : plan.clock.wallMs - file.sinceMs,
        action: file.action,
        rule: file.rule,
        why: file.why,
        outcome,
        left,
      }
    }),
    totals: plan.totals,
    floors: report?.floors ?? plan.floors,
    notes: plan.notes,
    problems: [...plan.problems, ...(report?.problems ?? [])],
  }
}
