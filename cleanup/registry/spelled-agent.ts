import { isJson } from '../platform/files/json.ts'
import { parseJson, parseSpelled } from '../platform/json/parse.ts'
import { partsAt, rootStart } from '../platform/json/parts.ts'
import type { AgentEntry } from './entries.ts'
import { type AgentRef, taskRegistry } from './layout.ts'
import { peekAgent } from './registry.ts'
import { fingerprint, readText } from './registry-file.ts'

/** `readAgent` with the digits of its numbers, for a copy into another registry (`copyMember`). Throws as `readAgent` does. */
export function readSpelledAgent(ref: AgentRef): AgentEntry {
  const entry = peekAgent(ref)
  const spelled = textsOfAgents(taskRegistry(ref.workspace, ref.taskId)).get(ref.agentId)
  // The file may have been replaced in between.
  if (spelled === undefined) return structuredClone(entry)
  return Object.assign(parseSpelled(spelled) as AgentEntry, { status: entry.status })
}

/** Of one registry, because a write copies all agents of a task that changed: without it, each would parse the whole again. */
let last: { file: string; version: string; texts: Map<unknown, string> } | undefined

/** The texts of a registry's agents by their id. Of several with the same id, the first counts. */
function textsOfAgents(file: string): Map<unknown, string> {
  const version = fingerprint(file)
  if (version !== undefined && last?.file === file && last.version === version) return last.texts
  const texts = new Map<unknown, string>()
  for (const item of itemsOf(readText(file), 'agents')) {
    const value = parseJson(item)
    if (isJson(value) && !texts.has(value.id)) texts.set(value.id, item)
  }
  last = version === undefined ? undefined : { file, version, texts }
  return texts
}

/** The texts of the items in a list of the outermost object. */
function itemsOf(text: string, key: string): string[] {
  const list = partsAt(text, rootStart(text)).findLast(part => part.key === key)
  if (!list) return []
  return partsAt(text, list.valueStart).map(({ valueStart, end }) => text.slice(valueStart, end))
}
