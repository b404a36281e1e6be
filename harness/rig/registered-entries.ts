import { atPointer } from '../definition/pointer.ts'
import { parseJson } from '../json.ts'
import type { SystemUnderTest } from './system-under-test.ts'

type Entry = Record<string, unknown>

/** An agent's entries in the registries that its system declares, by the registries' names. */
export async function registeredEntries(
  rig: SystemUnderTest,
  id: string,
): Promise<Record<string, Entry | undefined>> {
  const { resources } = await rig.snapshot()
  const entries: Record<string, Entry | undefined> = {}
  for (const one of resources) {
    const declared = rig.definition.layout.registries.find(
      ({ name }) => one.kind === 'registry' && one.name === name,
    )
    if (one.kind !== 'registry' || !declared) continue
    const agents = atPointer(parseJson((await rig.probe.read(one.path)) ?? '{}'), declared.agents)
    const found: Entry | undefined = Array.isArray(agents)
      ? agents.find(entry => entry[declared.id] === id)
      : Object(agents)[id]
    entries[one.name] = found ?? entries[one.name]
  }
  return entries
}
