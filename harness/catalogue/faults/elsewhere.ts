import { expect } from 'vitest'
import { CannotMeasureError } from '../../errors.ts'
import { poll } from '../../poll.ts'
import type { Rig } from '../../rig/rig.ts'
import { reportWorkspace } from '../report-workspace.ts'
import { changeEntries } from './ids.ts'

const id = 'elsewhere-120000-0a1b2c'

/** An agent that works in another pid namespace, as in a container that shares the workspace. */
export interface AgentElsewhere {
  id: string
  /** Expects that its files, its entries and its processes are as they were. */
  expectUntouched(): Promise<void>
}

const deadlineMs = 20_000

/** Why no pid namespace can be made here; undefined where one can. */
export async function nestingObjection({ probe }: Rig): Promise<string | undefined> {
  const { code } = await probe.run(['unshare', '--pid', '--fork', 'true'])
  return code === 0 ? undefined : 'this sandbox may make no pid namespace: use --sandbox namespace'
}

/**
 * Lets an agent work in another pid namespace: its pipeline without its tmux session, which nothing here can see, its files,
 * and its entries in both registries. Call it before the first deploy, while the system writes nothing.
 */
export async function workElsewhere(rig: Rig): Promise<AgentElsewhere> {
  const { probe } = rig
  const { folder } = reportWorkspace(rig)
  const prompt = `${folder}/agent_prompt_${id}.txt`
  const log = `${folder}/logs/${id}_stream.jsonl`
  await probe.write(prompt, `agent_id: ${id}\n\nHelp me.\n`)
  await probe.write(log, '{"type":"system","subtype":"init"}\n')
  await probe.registerAgent({ id, session: `agent_${id}` })
  const pipeline = 'sleep infinity | tee -a "$1"'
  const { pid } = await probe.plant([
    'unshare',
    '--pid',
    '--fork',
    '--kill-child',
    'sh',
    '-c',
    pipeline,
    'sh',
    log,
  ])
  const tee = await poll(deadlineMs, async () => {
    const { resources } = await rig.snapshot()
    return resources.find(one => one.kind === 'descriptor' && one.path === log && one.comm === 'tee')
  })
  if (tee?.kind !== 'descriptor') throw new CannotMeasureError('The agent elsewhere did not begin to work.')
  await probe.registerReported(id, { pids: [pid, tee.pid], paths: [] })
  const [namespace = '', boot = ''] = await Promise.all([
    read(rig, ['readlink', `/proc/${tee.pid}/ns/pid`]),
    read(rig, ['cat', '/proc/sys/kernel/random/boot_id']),
  ])
  const now = new Date().toISOString()
  const entry = {
    id,
    type: 'worker',
    parent: 'orchestrator',
    status: 'working',
    tmux_session: `agent_${id}`,
    started_at: now,
    last_update: now,
    progress: 30,
    prompt_file: prompt,
    log_file: log,
    deployed_on: { host: 'elsewhere', boot_id: boot, pid_namespace: /\d+/.exec(namespace)?.[0] ?? '' },
  }
  await changeEntries(rig, [entry], 1)
  return {
    id,
    async expectUntouched() {
      const there = { prompt: await probe.read(prompt), log: await probe.read(log) }
      expect(there, 'the files of the agent elsewhere').toEqual({
        prompt: expect.any(String),
        log: expect.any(String),
      })
      const { resources } = await rig.snapshot()
      const registered = resources.flatMap(one =>
        one.kind === 'registry'
          ? one.agents.filter(agent => agent.id === id).map(({ status }) => status)
          : [],
      )
      expect(registered, 'how the agent elsewhere is registered').toEqual(['working', 'working'])
      expect(resources.filter(one => one.kind === 'process' && one.pid === tee.pid)).toHaveLength(1)
    },
  }
}

async function read({ probe }: Rig, command: string[]): Promise<string> {
  const { code, stdout, stderr } = await probe.run(command)
  if (code !== 0) throw new CannotMeasureError(`${command.join(' ')} failed: ${stderr.trim()}`)
  return stdout.trim()
}
