import type { Step, Timeline } from '../../../timeline/timeline.ts'

/** Steps of one kind that happened at about the same time, such as the deploys of ten agents. */
export interface StepGroup {
  /** As it is marked in the charts: 1, 2, 3 ... */
  number: number
  what: string
  agents: string[]
  count: number
  at: number
}

/** Nearer than this part of the whole time, steps of one kind are one. */
const near = 0.03

/** The steps of a scenario in their order, those of a kind at one time together. */
export function groupSteps({ steps, endedAt }: Timeline): StepGroup[] {
  const groups: (StepGroup & { last: number })[] = []
  for (const { what, agent, at } of steps) {
    const open = groups.findLast(group => group.what === what && at - group.last <= endedAt * near)
    if (open) {
      open.count += 1
      open.last = at
      if (agent !== undefined) open.agents.push(agent)
    } else
      groups.push({ number: 0, what, agents: agent === undefined ? [] : [agent], count: 1, at, last: at })
  }
  return groups.map(({ last: _, ...group }, index) => ({ ...group, number: index + 1 }))
}

/** The first deploy: what was there before it is the baseline. */
export function firstDeploy({ steps, samples }: Timeline): number {
  const isDeploy = ({ what }: Step) => what.startsWith('deploy')
  return steps.find(isDeploy)?.at ?? samples[0]?.at ?? 0
}
