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
/** With the value 1 the orchestrator serves only when its daemon watches or is late. The rig's baseline includes the daemon. */
export const AWAIT_DAEMON = 'LEAKRIG_AWAIT_DAEMON'

export type StrategyName = (typeof strategyNames)[number]

interface TaskEntry {
  task_id: string
  task_description: string
  created_at: string
  [field: string]: unknown
}

/** The end of an agent: a terminal status, and the reason in words. */
export interface Ending {
  status: string
  reason: string
}

/** How registries are written, and what an ending causes. */
export interface Strategy {
  name: StrategyName
  /** True when agents are started in a containment that their processes cannot leave. The report's system has none. */
  contains?: boolean
  /** Called before the first tool is offered, only in the outer instance. */
  start(workspace: string): Promise<void>
  /** What is wrong beside the tools, in a sentence: every answer of a tool carries it. */
  problem?(): string | undefined
  addTask(workspace: string, task: TaskEntry): Promise<unknown>
  addAgent(agent: AgentRef, entry: AgentEntry): Promise<void>
  updateAgent(agent: AgentRef, change: (entry: AgentEntry) => void): Promise<unknown>
  readTask(workspace: string, taskId: string): Promise<TaskRegistry>
  /** Somebody reported a terminal status for the agent, possibly from inside its own pane. */
  ended(agent: AgentRef, ending: Ending): Promise<Record<string, unknown>>
  /** Somebody called `kill_real_agent`. */
  kill(agent: AgentRef, reason: string): Promise<Record<string, unknown>>
  /** Somebody noticed that the agent has ended. The report's system only reports that, and has no such method. */
  seenEnded?(agent: AgentRef): Promise<Record<string, unknown>>
}
