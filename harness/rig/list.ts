import { poll } from '../poll.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/** How long a list may lag behind what lives, ms. */
const correctWithinMs = 5_000

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
