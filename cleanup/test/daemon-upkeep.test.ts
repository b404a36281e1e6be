import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Upkeep } from '../daemon/upkeep.ts'
import { cleanUp, type LogLine, layout } from '../index.ts'
import type { PolicyTexts } from '../retention/policy.ts'
import { Rig } from './support/rig.ts'
import { until } from './support/until.ts'

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
    degraded: (what: string, why: string | undefined) => reasons.set(what, why),
  }
  return { upkeep: new Upkeep({ workspaces: [rig.workspace], policy, observer, times }), reasons }
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

test('it runs when it is due, and no sooner', async () => {
  const files = await archived('old')
  const { upkeep } = start({}, { firstMs: 300, everyMs: 3_600_000, pressureMs: 3_600_000 })
  upkeep.round()
  expect(files.every(file => fs.existsSync(file))).toBe(true)
  await until('it has run', () => {
    upkeep.round()
    return events('retention').length > 0
  })
  expect(files.filter(file => fs.existsSync(file))).toEqual([])
  await upkeep.end()
})

test('a disk with less free than is wanted is worked at at once, and said once when that is not enough', async () => {
  const { upkeep, reasons } = start(
    { minFree: '99%', keepDays: '999' },
    { firstMs: 0, everyMs: 3_600_000, pressureMs: 50 },
  )
  await until('it is said', () => {
    upkeep.round()
    return events('retention-problem').length > 0
  })
  expect([...reasons.values()].join(' ')).toContain('no archive that may go is left')
  await until('it has looked again', () => {
    upkeep.round()
    return lines.length > 0
  })
  expect(events('retention-problem')).toHaveLength(1)
  await upkeep.end()
})

test('a policy that is misunderstood deletes nothing, and is said', async () => {
  const files = await archived('old')
  fs.writeFileSync(`${rig.workspace}/registry/retention.json`, '{"keep-days": "soon"}')
  const { upkeep } = start({}, { firstMs: 0, everyMs: 3_600_000, pressureMs: 3_600_000 })
  await until('it is said', () => {
    upkeep.round()
    return events('retention-problem').length > 0
  })
  expect(files.every(file => fs.existsSync(file))).toBe(true)
  await upkeep.end()
})
