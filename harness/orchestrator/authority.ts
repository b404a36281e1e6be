import {
  type AgentRef,
  isSameWorkspace,
  layout,
  MARKER,
  type TaskRegistry,
  validateTaskId,
} from '../../cleanup/orchestrator.ts'
import type { Strategy } from './strategies/strategy.ts'

/** The `parent` of an agent that the outer instance deployed. */
export const OUTER_INSTANCE = 'orchestrator'

/** What one instance of the orchestrator may do. Each function throws an Error of one sentence when it may not. */
export interface Authority {
  overAgent(agent: AgentRef): Promise<void>
  overTask(taskId: string): Promise<void>
  /** For calls that name neither, such as creating a task. */
  overAnything(): Promise<void>
  /** The agent inside which the instance runs, as `task/id`; undefined for the outer instance. */
  self: string | undefined
}

/**
 * The rights of an instance. The outer instance, which people talk to, has no LEAKRIG_AGENT in its environment and acts
 * for every agent. An instance inside an agent acts for that agent and for its descendants by `parent`. It reads and
 * deploys into its own task, where it works beside other agents, and into tasks that it or its descendants created. An
 * instance whose LEAKRIG_AGENT names no agent of this workspace acts for no agent.
 *
 * The boundary holds only for calls over MCP. An agent with a shell is the same user: it can write the registry, and a
 * `parent` in it, start an instance without the variable, or signal a process by itself.
 * @param marker the value of LEAKRIG_AGENT at the start of the process; no input of a tool changes it
 */
export function authority(workspace: string, strategy: Strategy, marker: string | undefined): Authority {
  if (marker === undefined) {
    const all = async () => {}
    return { overAgent: all, overTask: all, overAnything: all, self: undefined }
  }
  const agent = agentOf(workspace, marker)
  const self = agent && nameOf(agent)

  /** The name of the instance's own agent. Throws when no such agent is registered. */
  async function ownName(): Promise<string> {
    const task = agent && (await strategy.readTask(workspace, agent.taskId))
    if (self && task?.agents.some(({ id }) => id === agent?.agentId)) return self
    throw new Error(
      `This orchestrator runs inside an agent, and its ${MARKER} names no agent of the workspace ${workspace}, so it acts for no agent; deploy the agent with deploy_headless_agent, or use the orchestrator outside of any agent.`,
    )
  }

  return {
    self,
    async overAnything() {
      await ownName()
    },
    async overAgent(target) {
      const own = await ownName()
      if (await descends(workspace, strategy, nameOf(target), own)) return
      throw new Error(
        `This orchestrator runs inside agent ${own} and acts for it and for the agents that it deployed, not for ${nameOf(target)}; use the agent that deployed ${nameOf(target)}, or the orchestrator outside of any agent.`,
      )
    },
    async overTask(taskId) {
      const own = await ownName()
      if (taskId === agent?.taskId) return
      const task = await readOrNone(workspace, strategy, taskId)
      const creator = task?.created_by
      if (typeof creator === 'string' && (await descends(workspace, strategy, creator, own))) return
      throw new Error(
        `This orchestrator runs inside agent ${own} and works in the task of that agent and in tasks that it created, not in ${taskId}; use ${agent?.taskId}, or create a task with create_real_task.`,
      )
    },
  }
}

function agentOf(workspace: string, marker: string): AgentRef | undefined {
  const named = layout.agentOfMarker(marker)
  // The two paths may lead to one folder by a link or a mount.
  if (named && isSameWorkspace(named.workspace, workspace)) return { ...named, workspace }
  return undefined
}

/** An agent's name in its workspace. An id alone is unique only within its task. */
const nameOf = ({ taskId, agentId }: AgentRef): string => `${taskId}/${agentId}`

/** Whether `name` is the agent `ancestor` or a descendant of it by `parent`. Circles and missing parents end the search. */
async function descends(
  workspace: string,
  strategy: Strategy,
  name: string,
  ancestor: string,
): Promise<boolean> {
  const seen = new Set<string>()
  for (let at: string | undefined = name; at !== undefined && !seen.has(at); ) {
    if (at === ancestor) return true
    seen.add(at)
    at = await parentOf(workspace, strategy, at)
  }
  return false
}

/** The name of an agent's parent. A bare id is one in the same task, as the report's system writes it. */
async function parentOf(workspace: string, strategy: Strategy, name: string): Promise<string | undefined> {
  const [taskId = '', agentId = '', ...rest] = name.split('/')
  if (rest.length > 0) return undefined
  const task = await readOrNone(workspace, strategy, taskId)
  const parent = task?.agents.find(({ id }) => id === agentId)?.parent
  if (typeof parent !== 'string' || parent === OUTER_INSTANCE) return undefined
  return parent.includes('/') ? parent : `${taskId}/${parent}`
}

/** Undefined for a registry that cannot be read and for an invalid task id, so that neither gives any right. */
async function readOrNone(
  workspace: string,
  strategy: Strategy,
  taskId: string,
): Promise<TaskRegistry | undefined> {
  try {
    return await strategy.readTask(workspace, validateTaskId(taskId))
  } catch {
    return undefined
  }
}
