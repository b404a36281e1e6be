import {
  type AgentRef,
  layout,
  MARKER,
  realWorkspace,
  type TaskRegistry,
  validateTaskId,
} from '../../cleanup/orchestrator.ts'
import type { Strategy } from './strategies/strategy.ts'

/** The `parent` of an agent that the instance deployed to which people talk. */
export const PEOPLE = 'orchestrator'

/** What one instance of the orchestrator may do. Each function throws an Error of one sentence for what it may not. */
export interface Authority {
  overAgent(agent: AgentRef): Promise<void>
  overTask(taskId: string): Promise<void>
  /** For what names neither: creating a task. */
  overAnything(): Promise<void>
  /** The agent inside which the instance runs, as `task/id`; undefined for the instance that people talk to. */
  self: string | undefined
}

/**
 * Answers for whom an instance acts. The instance that people talk to (no LEAKRIG_AGENT in its environment) acts for
 * every agent. One that runs inside an agent acts for that agent, for those that it deployed, and for those that these
 * deployed: whoever reaches it by `parent`. It reads and deploys into its own task, because it works beside the others
 * there, and into tasks that it or those agents created. With a LEAKRIG_AGENT that names no agent of this workspace it acts
 * for nobody.
 *
 * `marker` is that variable as the process was started with it, and no tool's input changes it. The boundary is against
 * what an agent asks for over MCP: an agent with a shell is the same user, and can still write the registry (and a
 * `parent` in it), start an instance without the variable, or signal a process by itself.
 */
export function authority(workspace: string, strategy: Strategy, marker: string | undefined): Authority {
  if (marker === undefined) {
    const all = async () => {}
    return { overAgent: all, overTask: all, overAnything: all, self: undefined }
  }
  const agent = agentOf(workspace, marker)
  const self = agent && nameOf(agent)

  /** The agent's name, once it is known to be one. */
  async function known(): Promise<string> {
    const task = agent && (await strategy.readTask(workspace, agent.taskId))
    if (self && task?.agents.some(({ id }) => id === agent?.agentId)) return self
    throw new Error(
      `This orchestrator runs inside an agent, and its ${MARKER} names no agent of the workspace ${workspace}, so that it acts for nobody; deploy the agent with deploy_headless_agent, or ask the orchestrator that people talk to.`,
    )
  }

  return {
    self,
    async overAnything() {
      await known()
    },
    async overAgent(target) {
      const own = await known()
      if (await descends(workspace, strategy, nameOf(target), own)) return
      throw new Error(
        `This orchestrator runs inside agent ${own} and acts for it and for the agents that it deployed, not for ${nameOf(target)}; ask the agent that deployed ${nameOf(target)}, or the orchestrator that people talk to.`,
      )
    },
    async overTask(taskId) {
      const own = await known()
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
  // The same folder may have been reached by a link.
  if (named && realWorkspace(named.workspace) === realWorkspace(workspace)) return { ...named, workspace }
  return undefined
}

/** An agent's name in its workspace. Its id alone may be another agent's in another task. */
const nameOf = ({ taskId, agentId }: AgentRef): string => `${taskId}/${agentId}`

/** Whether `name` is the agent `ancestor`, or reaches it by `parent`. A circle, or a parent that is not there, does not. */
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

/** The name of an agent's parent: a bare id means one in the same task, as the report's system writes it. */
async function parentOf(workspace: string, strategy: Strategy, name: string): Promise<string | undefined> {
  const [taskId = '', agentId = '', ...rest] = name.split('/')
  if (rest.length > 0) return undefined
  const task = await readOrNone(workspace, strategy, taskId)
  const parent = task?.agents.find(({ id }) => id === agentId)?.parent
  if (typeof parent !== 'string' || parent === PEOPLE) return undefined
  return parent.includes('/') ? parent : `${taskId}/${parent}`
}

/** A task whose registry cannot be read, or whose name makes no path, gives nobody any right. */
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
