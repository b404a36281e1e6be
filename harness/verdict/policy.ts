import type { Ignored, Resource } from '../snapshot/snapshot.ts'
import type { ScenarioFacts } from './scenario-facts.ts'

interface Policy {
  why: string
  keeps(resource: Resource, facts: ScenarioFacts): boolean
}

/** Claude removes the output of a foreground command at its end: one that is left is what a killed claude left. */
const taskOutput = /^\/tmp\/claude-\d+\/[^/]+\/[^/]+\/tasks\/([^/]+)\.output$/

const file = (pattern: RegExp) => (one: Resource) => one.kind === 'file' && pattern.test(one.path)

/**
 * What may be there after the end of every agent. Whatever a policy keeps is counted in the report.
 * Claude's own files: those that it leaves after a clean exit; what only a killed one leaves is a leak.
 */
const policies: Policy[] = [
  { why: 'archived logs stay until their retention ends', keeps: file(/\/archive\/[^/]+$/) },
  {
    why: 'Claude keeps its settings and transcripts',
    keeps: file(/\/\.claude\.json|\/\.claude\/(projects|backups|session-env)\//),
  },
  { why: 'Claude keeps its MCP logs', keeps: file(/\/\.cache\/claude-cli-nodejs\//) },
  { why: 'tmux leaves the file of its socket', keeps: file(/\/tmux-\d+\/[^/]+$/) },
  {
    why: 'Claude keeps the output of its background tasks',
    keeps: (one, { foregroundTasks }) =>
      one.kind === 'file' &&
      !foregroundTasks.has(taskOutput.exec(one.path)?.[1] ?? '') &&
      taskOutput.test(one.path),
  },
  {
    why: 'Claude keeps a file that says when it started',
    keeps: file(/^\/tmp\/claude-\d+\/[^/]+\/[^/]+\/started$/),
  },
]

/** Splits what is new into what a policy keeps and what none does. */
export function applyPolicy(added: Resource[], facts: ScenarioFacts): { kept: Ignored[]; left: Resource[] } {
  const kept = new Map<Policy, number>()
  const left = added.filter(one => {
    const policy = policies.find(({ keeps }) => keeps(one, facts))
    if (policy) kept.set(policy, (kept.get(policy) ?? 0) + 1)
    return !policy
  })
  return { kept: [...kept].map(([{ why }, count]) => ({ what: 'files', why, count })), left }
}
