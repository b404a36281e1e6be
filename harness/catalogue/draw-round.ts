import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { System } from '../definition/system.ts'
import type { Directive } from '../rig/directive.ts'
import { leftOutBecause } from '../rig/needs.ts'
import type { Rig } from '../rig/rig.ts'
import { type EndingName, endingNames, endings } from './endings.ts'

/** An agent of a soak: what it does, and how it ends. */
export interface DrawnAgent {
  ending: EndingName
  directive(rig: Rig): Directive
}

/** The endings that a system can have, and the reasons why others are left out. */
export function endingsOf(system: System): { possible: EndingName[]; leftOut: string[] } {
  const reasons = endingNames.map(name => leftOutBecause(system, endings[name].needs))
  return {
    possible: endingNames.filter((_, at) => reasons[at] === undefined),
    leftOut: endingNames.flatMap((name, at) => (reasons[at] ? `the ending "${name}": ${reasons[at]}` : [])),
  }
}

/** Draws the agents of round after round. The same seed draws the same ones. */
export function* drawRounds(
  seed: number,
  agents: number,
  possible: readonly EndingName[],
): Generator<DrawnAgent[], never> {
  const random = xoroshiro128plus(seed)
  const pick = <One>(from: readonly One[]) => from[uniformInt(random, 0, from.length - 1)] as One
  for (;;) yield Array.from({ length: agents }, () => drawAgent(pick, possible))
}

function drawAgent(pick: <One>(from: readonly One[]) => One, possible: readonly EndingName[]): DrawnAgent {
  const ending = pick(possible)
  const rest = {
    profile: pick(['legacy', 'mid', 'current'] as const),
    bash: pick([1, 2]),
    depth: pick([1, 2]),
  }
  return { ending, directive: rig => ({ persona: endings[ending].persona(rig), ...rest }) }
}
