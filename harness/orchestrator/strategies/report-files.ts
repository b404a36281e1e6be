import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { type AgentRef, layout } from '../../../cleanup/orchestrator.ts'

/**
 * Moves an agent's three logs to the archive, as both of the report's options do: under their own names, over existing
 * files, and even while a process still writes to them. The deploy log stays.
 * @returns whether at least one was moved
 */
export function moveLogs(agent: AgentRef): boolean {
  mkdirSync(layout.archiveFolder(agent), { recursive: true })
  const logs = [layout.streamLog(agent), layout.progressFile(agent), layout.findingsFile(agent)]
  return logs.filter(log => succeeds(() => renameSync(log, layout.archived(agent, log)))).length > 0
}

/** False when there was no prompt, or it could not be removed. */
export function removePrompt(agent: AgentRef): boolean {
  return succeeds(() => rmSync(layout.promptFile(agent)))
}

/** The report's code ignores files that are missing or cannot be moved. */
function succeeds(step: () => void): boolean {
  try {
    step()
    return true
  } catch {
    return false
  }
}
