import type { Ignored, Resource } from '../snapshot/snapshot.ts'

interface Policy {
  why: string
  keeps(resource: Resource): boolean
}

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
  { why: 'Claude keeps its task folder', keeps: file(/^\/tmp\/claude-\d+\//) },
]

/** Splits what is new into what a policy keeps and what none does. */
export function applyPolicy(added: Resource[]): { kept: Ignored[]; left: Resource[] } {
  const kept = new Map<Policy, number>()
  const left = added.filter(one => {
    const policy = policies.find(({ keeps }) => keeps(one))
    if (policy) kept.set(policy, (kept.get(policy) ?? 0) + 1)
    return !policy
  })
  return { kept: [...kept].map(([{ why }, count]) => ({ what: 'files', why, count })), left }
}
