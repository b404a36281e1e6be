import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import type { AgentRef, CleanUpReport } from '../../index.ts'
import { layout, readTaskRegistry } from '../../orchestrator.ts'
import { findPending } from '../../reaper/resume.ts'
import { readGlobalRegistry } from '../../registry/registry.ts'
import { cleanerCommand } from './cleaner-process.ts'
import { NO_TRACES, type Rig, traces } from './rig.ts'
import { until } from './until.ts'

/** Deploys `count` agents, cleans all of them up at the same time, each in its own process, and checks that nothing is left. */
export async function expectAllCleanedConcurrently(rig: Rig, count: number): Promise<void> {
  const refs: AgentRef[] = []
  for (let n = 0; n < count; n++)
    refs.push(await rig.deploy(`of-many-${n}`, { claude: 'echo ready; sleep 1000 & wait' }))
  const reports = await cleanUpConcurrently(rig, refs)
  expect(reports.map(({ outcome, problems }) => [outcome, ...problems])).toEqual(refs.map(() => ['clean']))
  for (const ref of refs) expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(fs.readdirSync(layout.archiveFolder(rig.ref('x')))).toHaveLength(4 * count)
  expectCleanRegistries(rig, refs)
}

/**
 * Starts one cleaner process for each agent, releases all of them at once through a FIFO, and returns their reports.
 * `whileRunning` is called right after the release.
 */
export async function cleanUpConcurrently(
  rig: Rig,
  refs: AgentRef[],
  whileRunning?: () => Promise<unknown>,
): Promise<CleanUpReport[]> {
  const gate = path.join(rig.folder, 'gate')
  spawnSync('mkfifo', [gate])
  const file = ({ agentId }: AgentRef) => path.join(rig.folder, `${agentId}.report`)
  const cleaners = refs.map(ref => {
    const [command = '', ...args] = cleanerCommand(ref, file(ref), 0)
    return spawn(command, args, { stdio: 'inherit', env: { ...process.env, GATE: gate } })
  })
  const exits = cleaners.map(cleaner => once(cleaner, 'exit'))
  const isReady = () => refs.every(ref => fs.existsSync(`${file(ref)}.ready`))
  await until('all cleaners are ready', isReady, 300_000)
  const started = performance.now()
  const open = fs.openSync(gate, 'w')
  await whileRunning?.()
  const codes = (await Promise.all(exits)).map(([code]) => code)
  fs.closeSync(open)
  console.log(`${refs.length} cleaners took ${Math.round(performance.now() - started)} ms`)
  expect(codes).toEqual(refs.map(() => 0))
  return refs.map(ref => JSON.parse(fs.readFileSync(file(ref), 'utf8')))
}

/** Both registries list these agents, and no others, as completed and cleaned up. */
export function expectCleanRegistries(rig: Rig, refs: AgentRef[]): void {
  expect(readTaskRegistry(rig.workspace, rig.ref('x').taskId)).toMatchObject({
    active_count: 0,
    completed_count: refs.length,
  })
  const global = readGlobalRegistry(rig.workspace)
  expect(global.active_agents).toBe(0)
  for (const ref of refs)
    expect(global.agents[ref.agentId]).toMatchObject({ status: 'completed', cleanup: { state: 'done' } })
  expect(findPending(rig.workspace)).toEqual({ agents: [], unreadable: [] })
}
