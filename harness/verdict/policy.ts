import { patternOf } from '../definition/system.ts'
import type { Ignored, Resource } from '../snapshot/snapshot.ts'
import type { ScenarioFacts } from './scenario-facts.ts'

interface Policy {
  why: string
  keeps(resource: Resource, facts: ScenarioFacts): boolean
}

/** Claude removes the output of a foreground command when that ends: only a killed claude leaves one. */
const taskOutput = /^\/tmp\/claude-\d+\/[^/]+\/[^/]+\/tasks\/([^/]+)\.output$/

const file = (pattern: RegExp) => (one: Resource) => one.kind === 'file' && pattern.test(one.path)

/**
 * What may be there after the end of every agent. The report counts what a policy keeps. Of Claude's own files, those
 * that it leaves after a clean exit are kept; a file that only a killed claude leaves is a leak.
 */
const policies: Policy[] = [
  {
    why: 'Claude keeps its settings and transcripts',
    keeps: file(/\/\.claude\.json|\/\.claude\/(projects|backups|session-env)\//),
  },
  {
    why: 'Claude keeps the log, the roster and the jobs of its background service',
    keeps: file(/\/\.claude\/(daemon\.log$|(daemon|jobs)\/)/),
  },
  { why: 'Claude keeps its MCP logs', keeps: file(/\/\.cache\/claude-cli-nodejs\//) },
  { why: 'tmux leaves the file of its socket', keeps: file(/\/tmux-\d+\/[^/]+$/) },
  {
    why: 'a shell in a pane keeps its history',
    keeps: file(/\/home\/\.(bash|zsh|sh|python|node_repl)_history$/),
  },
  {
    why: 'Claude keeps the output of its background tasks',
    keeps: (one, { foregroundTasks }) =>
      one.kind === 'file' &&
      !foregroundTasks.has(taskOutput.exec(one.path)?.[1] ?? '') &&
      taskOutput.test(one.path),
  },
  {
    why: 'Claude keeps a file with the time of its start',
    keeps: file(/^\/tmp\/claude-\d+\/[^/]+\/[^/]+\/started$/),
  },
]

/** Splits the new resources into those that a policy, or the system itself, keeps and all others. */
export function applyPolicy(added: Resource[], facts: ScenarioFacts): { kept: Ignored[]; left: Resource[] } {
  const kept = new Map<Policy, number>()
  const policyFor = chooser(facts)
  const left = added.filter(one => {
    const policy = policyFor(one)
    if (policy) kept.set(policy, (kept.get(policy) ?? 0) + 1)
    return !policy
  })
  return { kept: [...kept].map(([{ why }, count]) => ({ what: 'files', why, count })), left }
}

/** True for a file that a policy, or the system itself, keeps. */
export function keptFiles(facts: ScenarioFacts): (one: Resource) => boolean {
  const policyFor = chooser(facts)
  return one => policyFor(one) !== undefined
}

function chooser(facts: ScenarioFacts): (one: Resource) => Policy | undefined {
  const declared = facts.keeps.map(({ path, why }): Policy => ({ why, keeps: file(patternOf(path)) }))
  const all = [...declared, ...policies]
  return one => all.find(({ keeps }) => keeps(one, facts))
}
