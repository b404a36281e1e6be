import { isJson } from '../platform/files/json.ts'
import { parseJson, parseSpelled } from '../platform/json/parse.ts'
import { partsAt, rootStart } from '../platform/json/parts.ts'
import type { AgentEntry } from './entries.ts'
import { type AgentRef, taskRegistry } from './layout.ts'
import { peekAgent } from './registry.ts'
import { readText } from './registry-file.ts'

/** `readAgent` with the digits of its numbers, for a copy into another registry (`copyMember`). Throws as `readAgent` does. */
export function readSpelledAgent(ref: AgentRef): AgentEntry {
  const entry = peekAgent(ref)
  const text = readText(taskRegistry(ref.workspace, ref.taskId))
  const spelled = itemsOf(text, 'agents').find(item => {
    const value = parseJson(item)
    return isJson(value) && value.id === ref.agentId
  })
  // The file may have been replaced in between.
  if (spelled === undefined) return structuredClone(entry)
  return Object.assign(parseSpelled(spelled) as AgentEntry, { status: entry.status })
}

/** The texts of the items in a list of the outermost object. */
function itemsOf(text: string, key: string): string[] {
  const list = partsAt(text, rootStart(text)).findLast(part => part.key === key)
  if (!list) return []
  return partsAt(text, list.valueStart).map(({ valueStart, end }) => text.slice(valueStart, end))
}
