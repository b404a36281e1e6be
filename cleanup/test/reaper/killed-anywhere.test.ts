import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { programFile, testProgram } from '../../../bin/programs.ts'
import { type AgentRef, cleanUp } from '../../index.ts'
import { isTerminal, layout, readTaskRegistry } from '../../orchestrator.ts'
import { resume } from '../../reaper/clean-up.ts'
import { readGlobalRegistry } from '../../registry/registry.ts'
import { cleanerCommand, runCleaner } from '../support/cleaner-process.ts'
import { forEachStep, STEPS, type Steps } from '../support/each-step.ts'
import { pendingAgents } from '../support/pending-agents.ts'
import { NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'
const resists = 'trap "" TERM HUP; echo ready; while :; do sleep 1; done'
const completed = { status: 'completed', reason: 'it said so', graceMs: 300 }

const dieAt = testProgram('die-at')

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/**
 * Checks what the next cleaner finds, and that nothing is left when it is done. Not `alone`: a process that took over the
 * work may still be doing it, and finish at any moment.
 */
async function finish(ref: AgentRef, alone = true): Promise<void> {
  const entry = rig.entry(ref)
  if (isTerminal(entry.status) && !alone) {
    expect((await resume(ref, { graceMs: 300 })).outcome).toMatch(/^(already-)?clean$/)
  } else if (isTerminal(entry.status)) {
    const isDone = entry.cleanup?.state === 'done'
    expect(pendingAgents(rig.workspace).includes(ref.agentId)).toBe(!isDone)
    expect((await resume(ref, { graceMs: 300 })).outcome).toBe(isDone ? 'already-clean' : 'clean')
  } else {
    // It was killed before its intent was on disk: then it has touched nothing.
    expect(rig.sessions()).toContain(layout.sessionName(ref))
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  }
  isClean(ref)
}

function isClean(ref: AgentRef): void {
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  const archive = fs.readdirSync(layout.archiveFolder(ref))
  expect(
    archive.filter(name => name.includes(`${ref.agentId}_`) || name === `deploy_${ref.agentId}.json`),
  ).toHaveLength(4)
  const { status, cleanup } = rig.entry(ref)
  expect(readGlobalRegistry(rig.workspace).agents[ref.agentId]).toMatchObject({ status, cleanup })
}

function isTidy(): void {
  const { agents } = readTaskRegistry(rig.workspace, rig.ref('x').taskId)
  const folder = layout.taskFolder(rig.workspace, rig.ref('x').taskId)
  expect(fs.readdirSync(path.join(folder, 'archive'))).toHaveLength(4 * agents.length)
  for (const at of [folder, path.join(rig.workspace, 'registry')])
    expect(fs.readdirSync(at).filter(name => /\.(next|part)$/.test(name))).toEqual([])
  const { active_count, completed_count } = readTaskRegistry(rig.workspace, rig.ref('x').taskId)
  expect([active_count, completed_count]).toEqual([0, agents.length])
  expect(readGlobalRegistry(rig.workspace)).toMatchObject({ active_agents: 0 })
}

for (const { which, by, options } of STEPS)
  describe(
    `a cleaner that is killed before ${which} leaves nothing that the next one does not finish`,
    options,
    () => killedBefore(by),
  )

/** Where steps are left out, each test leaves out others, so that every kind of step is tested. */
function killedBefore(by: number): void {
  const stepsFrom = (first: number): Steps => ({ first: 1 + ((first - 1) % by), by })

  test.each([
    ['a plain agent', idle, 1],
    ['an agent that resists', resists, 4],
  ])('%s', async (_, claude, first) => {
    const steps = await forEachStep(stepsFrom(first), async step => {
      const ref = await rig.deploy(`cut-${step}`, { claude })
      const { signal, report } = await runCleaner(rig, ref, step)
      if (signal === null) expect(report).toMatchObject({ outcome: 'clean', problems: [] })
      await finish(ref)
      return signal === 'SIGKILL'
    })
    expect(steps).toBeGreaterThan(20)
    isTidy()
  })

  test('and the second one, killed too, nothing that the third does not finish', async () => {
    const orders = await forEachStep(stepsFrom(2), async step => {
      const ref = await rig.deploy(`twice-${step}`, { claude: idle })
      const { signal } = await runCleaner(rig, ref, step)
      // For each step of the first cleaner another step of the second.
      if (signal === 'SIGKILL') await runCleaner(rig, ref, 1 + ((step * 7) % 31))
      await finish(ref)
      return signal === 'SIGKILL'
    })
    expect(orders).toBeGreaterThan(20)
    isTidy()
  })

  test('nor do two at once, both killed', async () => {
    await forEachStep(stepsFrom(3), async step => {
      const ref = await rig.deploy(`both-${step}`, { claude: idle })
      const ends = await Promise.all([
        runCleaner(rig, ref, step),
        runCleaner(rig, ref, 1 + ((step * 5) % 23)),
      ])
      await finish(ref)
      return ends[0].signal === 'SIGKILL'
    })
    isTidy()
  })

  test('inside its agent, and outside after the hand-over', async () => {
    const program = programFile('hand-over')
    const inside = await forEachStep({ first: 1, by: Math.min(by, 5) }, async step => {
      const ref = rig.ref(`in-${step}`)
      const file = path.join(rig.folder, `${ref.agentId}.report`)
      const code = path.join(rig.folder, `${ref.agentId}.code`)
      const words = cleanerCommand(ref, file, step).join(' ')
      const go = `${ref.agentId}.go`
      await rig.deploy(ref.agentId, {
        claude: `echo ready; until [ -e ${go} ]; do sleep 0.02; done; ${words}; echo $? >${code}; sleep 1000 & wait`,
      })
      fs.writeFileSync(path.join(rig.folder, go), '')
      const answer = await until('it answers or dies', () => readText(code).trim() || fs.existsSync(file))
      const isKilled = answer === '137'
      if (isKilled && isTerminal(rig.entry(ref).status)) {
        // Its successor outside is killed somewhere too.
        const args = ['--import', dieAt, program, ref.workspace, ref.taskId, ref.agentId, '300']
        const env = { ...process.env, LEAKRIG_DIE_AT: String(1 + ((step * 3) % 29)) }
        await once(spawn(process.execPath, args, { env, stdio: 'ignore' }), 'exit')
      }
      if (!isKilled) await until('the one outside is done', () => rig.entry(ref).cleanup?.state === 'done')
      await finish(ref, false)
      return isKilled
    })
    expect(inside).toBeGreaterThan(5)
    isTidy()
  })
}
