import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RetentionJob } from '../../daemon/retention-job.ts'
import { cleanUp } from '../../index.ts'
import type { LogLine } from '../../log.ts'
import { layout } from '../../orchestrator.ts'
import type { PolicyTexts } from '../../retention/policy.ts'
import { Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const OLD = new Date(Date.now() - 30 * 24 * 3_600_000)

let rig: Rig
let lines: LogLine[]
beforeEach(async () => {
  rig = await Rig.start()
  lines = []
})
afterEach(() => rig[Symbol.asyncDispose]())

function start(policy: PolicyTexts, times: { firstMs: number; everyMs: number; pressureMs: number }) {
  const reasons = new Map<string, string | undefined>()
  const observer = {
    log: (line: LogLine) => lines.push(line),
    cleaned: () => {},
    failed: () => {},
    massDeath: () => {},
    degraded: (what: string, why: string | undefined) => reasons.set(what, why),
  }
  return { job: new RetentionJob({ workspaces: [rig.workspace], policy, observer, times }), reasons }
}

const events = (name: string) => lines.filter(({ event }) => event === name)

/** An agent that ended, with archives of an age that goes. */
async function archived(id: string): Promise<string[]> {
  const ref = await rig.deploy(id, { claude: 'echo ready; sleep 1000' })
  await cleanUp(ref, { status: 'completed', reason: 'x', graceMs: 500 })
  const folder = layout.archiveFolder(ref)
  const names = fs.readdirSync(folder).filter(name => name.includes(`${id}_`))
  const file = layout.taskRegistry(rig.workspace, ref.taskId)
  const registry = JSON.parse(fs.readFileSync(file, 'utf8'))
  for (const agent of registry.agents) agent.cleanup.finished_at = OLD.toISOString()
  fs.writeFileSync(file, JSON.stringify(registry))
  for (const name of names) fs.utimesSync(`${folder}/${name}`, OLD, OLD)
  return names.map(name => `${folder}/${name}`)
}

const NEVER = 3_600_000

test('it runs when it is due, and not before', async () => {
  const files = await archived('old')
  const later = start({}, { firstMs: NEVER, everyMs: NEVER, pressureMs: NEVER }).job
  const due = start({}, { firstMs: 0, everyMs: NEVER, pressureMs: NEVER }).job
  later.check()
  await later.idle()
  expect(files.every(file => fs.existsSync(file))).toBe(true)
  due.check()
  await due.idle()
  expect(files.filter(file => fs.existsSync(file))).toEqual([])
  expect(events('retention')).toMatchObject([{ removed: files.length }])
})

test('it runs at once where the disk has too little free space, and reports once when that was not enough', async () => {
  const files = await archived('old')
  const { job, reasons } = start(
    { minFree: '99%', keepDays: '999' },
    { firstMs: NEVER, everyMs: NEVER, pressureMs: 10 },
  )
  await until('it is logged', () => {
    job.check()
    return events('retention-problem').length > 0
  })
  expect(files.filter(file => fs.existsSync(file))).toEqual([])
  expect([...reasons.values()].join(' ')).toContain('no further archive may be removed')
})

test('it runs again where the disk becomes short after a run that freed enough', async () => {
  const policy = { keepDays: '999', minFree: '1K' }
  const { job } = start(policy, { firstMs: 0, everyMs: NEVER, pressureMs: 10 })
  job.check()
  await job.idle()
  const files = await archived('old')
  policy.minFree = '99%'
  await until('it is logged', () => {
    job.check()
    return events('retention-problem').length > 0
  })
  expect(files.filter(one => fs.existsSync(one))).toEqual([])
})

test('the policy file of an earlier version is reported, and nothing is removed', async () => {
  const files = await archived('old')
  fs.writeFileSync(`${rig.workspace}/registry/retention.json`, '{"keep-days": 365}')
  const { job } = start({}, { firstMs: 0, everyMs: 3_600_000, pressureMs: NEVER })
  await until('it is logged', () => {
    job.check()
    return events('retention-problem').length > 0
  })
  expect(files.every(file => fs.existsSync(file))).toBe(true)
})
