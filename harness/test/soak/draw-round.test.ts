import { expect, test } from 'vitest'
import { drawRounds, endingsOf } from '../../catalogue/draw-round.ts'
import { endingNames } from '../../catalogue/endings.ts'
import type { Rig } from '../../rig/rig.ts'
import { ownSystem } from '../../systems/systems.ts'
import { planned, shellSystem } from '../support/planned.ts'

const rig = { personaToComplete: 'completes' } as Rig

function plan(seed: number) {
  const drawn = drawRounds(seed, 5, endingNames)
  const three = [1, 2, 3].map(() => drawn.next().value)
  return three.map(agents => agents.map(({ ending, directive }) => [ending, directive(rig)]))
}

test('the same seed draws the same agents, and another seed others', () => {
  expect(plan(42)).toEqual(plan(42))
  expect(plan(43)).not.toEqual(plan(42))
  expect(plan(42)[0]?.map(([ending]) => ending)).toMatchInlineSnapshot(`
    [
      "completes from outside",
      "killed",
      "crashed",
      "completes from outside",
      "killed",
    ]
  `)
})

test('endings that a system does not declare are left out with the reason', () => {
  expect(endingsOf(ownSystem('hybrid'))).toEqual({ possible: endingNames, leftOut: [] })
  expect(endingsOf(planned(shellSystem))).toEqual({
    possible: ['killed', 'crashed'],
    leftOut: [
      'the ending "completes from inside": left out: the system shell declares no completes.inside and no completes.exit',
      'the ending "completes from outside": left out: the system shell declares no completes.outside',
    ],
  })
})
