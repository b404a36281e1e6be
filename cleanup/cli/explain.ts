import fs from 'node:fs'
import type { Command } from 'commander'
import { CleanupError } from '../errors.ts'
import { fromCwd } from '../platform/cwd.ts'
import { ownCommand } from '../programs.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { Registries } from '../registry/read-all.ts'
import { run } from './exit-codes.ts'
import { addSocketOptions, type SocketOptions, useSockets } from './socket-options.ts'
import { workspacesOf } from './workspace.ts'

export interface ExplainOptions extends SocketOptions {
  workspace?: string
  json?: boolean
}

export function addExplain(program: Command): Command {
  const explaining = program
    .command('explain')
    .description(
      'show which processes belong to an agent and why, what a cleanup would do, and what it would leave alone',
    )
    .argument('<agent|pid>', 'an agent’s id (or <task>/<agent>), or a process id')
    .argument('[workspace]', 'an .agent-workspace folder (by default the one in the current folder)')
    .option('--workspace <dir>', 'the same, for scripts')
  return addSocketOptions(explaining)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 explained; 2 wrong usage; 3 something could not be read or queried (the rest is explained).',
    )
    .action((target: string, folder: string | undefined, options: ExplainOptions) =>
      run(async () => explain(target, oneFolder(folder, options.workspace), options)),
    )
}

/** The workspace, which is named in one of two ways. Throws a CleanupError (`bad-argument`) where both are used. */
function oneFolder(folder: string | undefined, option: string | undefined): string | undefined {
  if (folder === undefined || option === undefined) return folder ?? option
  throw new CleanupError(
    'bad-argument',
    `The workspace is named twice, as ${JSON.stringify(folder)} and with --workspace ${JSON.stringify(option)}; leave one of them out.`,
  )
}

/** Explains an agent or a process, and changes nothing. Returns the exit code. */
export async function explain(
  target: string,
  folder: string | undefined,
  { json = false, ...sockets }: ExplainOptions,
): Promise<number> {
  const { readRegistries } = await import('../registry/read-all.ts')
  const { explainAgent } = await import('./explain-agent.ts')
  const { explainPid } = await import('./explain-pid.ts')
  const [workspace = ''] = workspacesOf(folder === undefined ? [] : [folder])
  await useSockets(sockets)
  const registries = readRegistries(workspace)
  const agents = findAgents(workspace, target, registries)
  if (agents.length === 0 && /^\d+$/.test(target))
    return explainPid(workspace, Number(target), registries, json)
  const [agent] = agents
  if (!agent) throw unknownTarget(workspace, target, registries)
  if (agents.length > 1)
    throw new CleanupError(
      'bad-argument',
      `${agents.length} tasks have an agent ${target}; name the task as well, as in ${agent.taskId}/${target}.`,
    )
  return explainAgent(agent, registries, json)
}

/** The agents that an id, or `<task>/<agent>`, can mean. */
function findAgents(workspace: string, target: string, { tasks }: Registries): AgentRef[] {
  const [agentId = '', task] = target.split('/').reverse()
  return [...tasks]
    .filter(([taskId]) => task === undefined || taskId === task)
    .filter(([, { agents }]) => agents.some(({ id }) => id === agentId))
    .map(([taskId]) => ({ workspace, taskId, agentId }))
}

function unknownTarget(workspace: string, target: string, { problems, isWhole }: Registries): CleanupError {
  const isFolder = fs.statSync(fromCwd(target), { throwIfNoEntry: false })?.isDirectory()
  if (isFolder && target.includes('/'))
    return new CleanupError(
      'bad-argument',
      `${JSON.stringify(target)} is a folder; name an agent or a process first: ${ownCommand} explain <agent|pid> ${target}.`,
    )
  // A registry that could not be read may list the agent.
  if (!isWhole) return new CleanupError('registry-unreadable', problems.join(' '))
  return new CleanupError(
    'unknown-agent',
    `No registry in ${workspace} lists an agent ${JSON.stringify(target)}; expected an agent’s id, <task>/<agent>, or a process id.`,
  )
}
