import { expect } from 'vitest'
import { parseExactly } from '../../json.ts'
import type { Rig } from '../../rig/rig.ts'
import { workspaceIn } from '../../systems/systems.ts'
import { reportWorkspace } from '../report-workspace.ts'

/** Makes a file beside the user's home, as a relative path could not: any folder may be the one in which it runs. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's variable
const command = 'touch ${HOME}-pwned'

/** Commands as tmux and shells run them within a text, and characters that break lines, quotes and terminals. */
export const hostileText = `x#(${command})$(${command})\`${command}\`;'"#{pid}%H\n\u001b[31m\u202e`

/** Ids that have a special meaning in a path, for a shell, for an option parser, or for tmux. */
export const hostileIds = [
  '../victim',
  '../../../home/victim',
  '/tmp/home/victim',
  'a b',
  `it's "quoted"`,
  'two\nlines',
  '-rf',
  '--help',
  'my-work:0.0',
  'a.b',
  '$0',
  '%0',
  '@0',
  '=my-work',
  '*',
  '#{pid}',
  `#(${command})`,
  `$(${command})`,
  '',
]

/** Plants files that a hostile id could reach, beside the workspace and in the user's home. Call it before any deploy. */
export async function plantVictims({ probe, places }: Rig): Promise<void> {
  const { home, work } = places
  const workspace = workspaceIn(places)
  for (const folder of [home, work, workspace])
    for (const name of ['victim', 'victim_stream.jsonl', 'victim.txt'])
      await probe.write(`${folder}/${name}`, 'mine\n')
}

/** Expects that every tool refuses every hostile id, in one sentence of one line. */
export async function refusesHostileIds(rig: Rig): Promise<void> {
  const task_id = reportWorkspace(rig).task
  const done = { status: 'completed', message: 'x', progress: 100 }
  const finding = { finding_type: 'x', severity: 'low', message: 'x' }
  for (const id of hostileIds) {
    const calls: [string, Record<string, unknown>][] = [
      ['kill_real_agent', { task_id, agent_id: id }],
      ['kill_real_agent', { task_id: id, agent_id: 'worker-1' }],
      ['update_agent_progress', { task_id, agent_id: id, ...done }],
      ['report_agent_finding', { task_id, agent_id: id, ...finding }],
      ['get_agent_output', { task_id, agent_id: id }],
      ['get_real_task_status', { task_id: id }],
      ['deploy_headless_agent', { task_id: id, agent_type: 'worker', prompt: 'x' }],
    ]
    // An agent's id begins with its type, so an empty type is not a case of an empty id.
    if (id) calls.push(['deploy_headless_agent', { task_id, agent_type: id, prompt: 'x' }])
    for (const [tool, args] of calls)
      expect(await rig.refusal(tool, args), `${tool} ${JSON.stringify(args)}`).toMatch(/^[^\n]{10,400}$/)
  }
}

/**
 * Adds agents with hostile ids to both registries, as another writer might: at work, or with a cleanup that has begun, and
 * with paths out of the workspace. `mend` removes them again.
 */
export async function enterHostileAgents(rig: Rig): Promise<{ mend(): Promise<void> }> {
  const entries = hostileIds.map(entryOf)
  await changeEntries(rig, entries, 1)
  return { mend: () => changeEntries(rig, entries, -1) }
}

interface Entry {
  id: string
  status: string
}

/** Adds entries to both registries (1), or removes those with their ids (-1), and corrects the counts. */
export async function changeEntries(rig: Rig, entries: Entry[], sign: 1 | -1): Promise<void> {
  const { probe } = rig
  const { taskRegistry, globalRegistry, task: taskId } = reportWorkspace(rig)
  const files = { task: taskRegistry, global: globalRegistry }
  const read = async (file: string) => parseExactly((await probe.read(file)) ?? '')
  const ids = entries.map(({ id }) => id)
  const live = entries.filter(({ status }) => status === 'working').length
  const [task, global] = [await read(files.task), await read(files.global)]
  task.agents = task.agents.filter(({ id }: Entry) => !ids.includes(id))
  for (const id of ids) delete global.agents[id]
  if (sign > 0) {
    task.agents.push(...entries)
    for (const entry of entries) global.agents[entry.id] = { task_id: taskId, ...entry }
  }
  task.active_count += sign * live
  global.active_agents += sign * live
  await probe.write(files.task, JSON.stringify(task, null, 2))
  await probe.write(files.global, JSON.stringify(global, null, 2))
}

function entryOf(id: string, at: number) {
  const now = new Date().toISOString()
  const begun = at % 2 === 1
  return {
    id,
    type: 'worker',
    parent: 'orchestrator',
    status: begun ? 'completed' : 'working',
    ...(begun ? { cleanup: { state: 'pending', since: now, reason: 'x' } } : {}),
    // As a target, such an id would reach the user's own session.
    tmux_session: id.startsWith('=') || id.includes(':') ? id : `agent_${id}`,
    started_at: now,
    last_update: now,
    progress: 0,
    prompt_file: '/tmp/home/victim.txt',
    log_file: '/tmp/home/victim_stream.jsonl',
  }
}
