import type { Bystanders } from '../rig/bystanders.ts'
import type { Rig } from '../rig/rig.ts'
import { roundCounts, type SoakPlan, type SoakRound } from '../soak/round.ts'
import { type DrawnAgent, drawRounds, endingsOf } from './draw-round.ts'
import { endings } from './endings.ts'

/**
 * Deploys and ends agents in round after round, in one sandbox, until one of the plan's limits is reached.
 * @param report gets the baseline, and what is there after each round
 */
export async function runSoak(
  rig: Rig,
  bystanders: Bystanders,
  { seed, agents, rounds = Infinity, forMs = Infinity }: SoakPlan,
  report: (round: SoakRound) => Promise<unknown>,
): Promise<void> {
  // The user's tmux server lives through all rounds, so that its memory can be compared.
  await bystanders.tmuxSession('my-work')
  const { possible, leftOut } = endingsOf(rig.definition)
  for (const one of leftOut) rig.leftOut.add(one)
  const began = performance.now()
  const { resources } = await rig.baseline()
  const isOwn = rig.isOwnProcess.bind(rig)
  const start = {
    agents: 0,
    endings: {},
    durationMs: Math.round(performance.now() - began),
    leaks: [],
    left: 0,
    collateral: [],
  }
  await report({ ...start, ...roundCounts(resources, [], isOwn) })
  const seen = new Set<string>()
  let round = 0
  for (const drawn of drawRounds(seed, agents, possible)) {
    if (round === rounds || performance.now() - began >= forMs) return
    const startedAt = performance.now()
    await runRound(rig, drawn)
    const { left, kept, leaks, collateral } = await rig.settleRound(seen)
    const fresh = leaks.filter(({ id }) => !seen.has(id))
    for (const { id } of fresh) seen.add(id)
    const still = [...leaks, ...left].flatMap(({ id }) => (seen.has(id) ? id : []))
    round += 1
    await report({
      agents: round * agents,
      endings: Object.fromEntries(
        Object.entries(Object.groupBy(drawn, ({ ending }) => ending)).map(([name, of]) => [name, of.length]),
      ),
      durationMs: Math.round(performance.now() - startedAt),
      ...roundCounts(left, kept, isOwn),
      leaks: fresh.map(({ what, why }) => `${what}: ${why}`),
      left: new Set(still).size,
      collateral: collateral.map(({ what }) => what),
    })
  }
}

async function runRound(rig: Rig, drawn: readonly DrawnAgent[]): Promise<void> {
  const agents = await Promise.all(drawn.map(one => rig.deploy(one.directive(rig))))
  await Promise.all(agents.map((agent, at) => endings[drawn[at]?.ending ?? 'crashed'].happens(agent)))
}
