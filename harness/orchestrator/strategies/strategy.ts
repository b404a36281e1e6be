/** How our own orchestrator cleans up after its agents. */
import type { AgentEntry, AgentRef, TaskRegistry } from '../../../cleanup/orchestrator.ts'
export const strategyNames = [
  'none',
  'immediate',
  'daemon',
  'hybrid',
  'report-option-1',
  'report-option-2',
] as const
export type StrategyName = (typeof strategyNames)[number]

interface TaskEntry {
  task_id: string
  task_description: string
  created_at: string
  [field: string]: unknown
}

/** The end of an agent: a terminal status, and why in plain words. */
export interface Ending {
  status: string
  reason: string
}

/** What differs between the strategies: how registries are written, and what an end leads to. */
export interface Strategy {
  name: StrategyName
  /** True when agents are started in something that their processes cannot leave; the report's system has nothing like it. */
  contains?: boolean
  /** Before the first tool is offered, in the orchestrator that people talk to (not in an agent's own instance). */
  start(workspace: string): Promise<void>
  addTask(workspace: string, task: TaskEntry): Promise<unknown>
  addAgent(agent: AgentRef, entry: AgentEntry): Promise<void>
  updateAgent(agent: AgentRef, change: (entry: AgentEntry) => void): Promise<unknown>
  readTask(workspace: string, taskId: string): Promise<TaskRegistry>
  /** Somebody reported a terminal status for the agent, possibly from inside its own pane. */
  ended(agent: AgentRef, ending: Ending): Promise<Record<string, unknown>>
  /** Somebody asked for the agent's end. */
  kill(agent: AgentRef, reason: string): Promise<Record<string, unknown>>
  /** Somebody saw that the agent has ended, by its registry or by its session: the report's system only says so. */
  seenEnded?(agent: AgentRef): Promise<Record<string, unknown>>
}
