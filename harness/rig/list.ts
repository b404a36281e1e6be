import { CannotMeasureError } from '../errors.ts'
import { poll } from '../poll.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/** How long a list may lag behind what lives, ms. */
const correctWithinMs = 5_000

/**
 * Waits until the system's list names an agent that works; returns at once where the system declares no list.
 * @throws CannotMeasureError when it does not: that it does not name the agent afterwards would prove nothing
 */
export async function waitUntilListed(rig: SystemUnderTest, names: readonly string[]): Promise<void> {
  let listed: string[] = []
  const isListed = await poll(correctWithinMs, async () => {
    const answer = await rig.listed()
    if (answer) listed = answer
    return answer === undefined || names.some(name => listed.includes(name)) || undefined
  })
  if (isListed) return
  const found = listed.length > 0 ? JSON.stringify(listed.slice(0, 10)) : 'nothing'
  throw new CannotMeasureError(
    `Agent ${names[0]} works, and the system’s list does not name it: list.each found ${found}, and expected one of ${JSON.stringify(names)}.`,
  )
}

/**
 * What is wrong with the system's own list of live agents, in sentences: agents of which no process and no session is left.
 * Nothing where the system declares no list.
 */
export async function staleInList(rig: SystemUnderTest): Promise<string[]> {
  let stale: string[] = []
  await poll(correctWithinMs, async () => {
    const listed = (await rig.listed()) ?? []
    const gone = listed.length > 0 ? await rig.goneAgents() : []
    stale = gone.filter(names => names.some(name => listed.includes(name))).flatMap(([id]) => id ?? [])
    return stale.length === 0 || undefined
  })
  return stale.map(id => `the system lists agent ${id} as live, and no process or session of it is left`)
}
