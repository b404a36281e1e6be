import { expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { recordedWorld, thisWorld, type World, whereIs } from '../../registry/world.ts'

/*
 * Two machines share a workspace. Each has had two boots, and each boot a tree of pid namespaces; number 0 is its initial one
 * and the parent of the others. The kernel gives the number of a namespace that is gone to the next one.
 */

const INITIAL = '4026531836'
const place = fc.record({ machine: fc.nat(1), boot: fc.nat(1), namespace: fc.nat(3) })
type Place = typeof place extends fc.Arbitrary<infer T> ? T : never

/** Which namespaces have processes now, and what containers call themselves. */
const universe = fc.record({
  hosts: fc.constantFrom(['a', 'b'], ['a', 'a']),
  hasMachineIds: fc.boolean(),
  hasOwnHostNames: fc.boolean(),
  alive: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
})
type Universe = typeof universe extends fc.Arbitrary<infer T> ? T : never

const THIS_BOOT = 1

function worldAt(
  { machine, boot, namespace }: Place,
  { hosts, hasMachineIds, hasOwnHostNames }: Universe,
): World {
  const isContainer = namespace > 0
  return {
    host: isContainer && hasOwnHostNames ? `container-${machine}-${namespace}` : (hosts[machine] ?? ''),
    // Machines of one host name are told apart by their ids; an image of containers may have none.
    ...((hasMachineIds || hosts[0] === hosts[1]) && { machine: `machine-${machine}` }),
    boot_id: `boot-${machine}-${boot}`,
    pid_namespace: namespace === 0 ? INITIAL : String(4026532000 + namespace),
  }
}

const isAlive = ({ machine, boot, namespace }: Place, { alive }: Universe): boolean =>
  boot === THIS_BOOT && (namespace === 0 || alive[machine * 4 + namespace] === true)

const samePlace = (one: Place, other: Place) =>
  one.machine === other.machine && one.boot === other.boot && one.namespace === other.namespace

test('no world that may live is called gone, and none but the own one is called here', () => {
  fc.assert(
    fc.property(place, place, universe, (agent, looker, all) => {
      const viewer = { ...looker, boot: THIS_BOOT }
      fc.pre(isAlive(viewer, all))
      const namespaceOf = (number: string): Place => ({
        ...viewer,
        namespace: number === INITIAL ? 0 : Number(number) - 4026532000,
      })
      const found = whereIs(worldAt(agent, all), {
        here: worldAt(viewer, all),
        isOccupied: number => (viewer.namespace === 0 ? isAlive(namespaceOf(number), all) : undefined),
      })
      if (found.is === 'gone') expect(isAlive(agent, all)).toBe(false)
      expect(found.is === 'here').toBe(samePlace(agent, viewer))
      // From the machine's own namespace, what is dead there can be cleaned up.
      if (viewer.namespace === 0 && agent.machine === viewer.machine && agent.boot === THIS_BOOT)
        expect(found.is === 'gone').toBe(!isAlive(agent, all))
    }),
    { numRuns: 2_000 },
  )
})

test('a world that is forged, incomplete or of another program counts as not recorded, or as another one', () => {
  const here = thisWorld()
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.dictionary(fc.constantFrom('host', 'boot_id', 'pid_namespace'), fc.string()),
      ),
      value => {
        const recorded = recordedWorld({ deployed_on: value })
        if (recorded) expect(whereIs(recorded, { here, isOccupied: () => undefined }).is).toBe('elsewhere')
      },
    ),
  )
})
