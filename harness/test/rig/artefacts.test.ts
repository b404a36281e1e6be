import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { copyOut } from '../../rig/artefacts.ts'
import { test } from '../../rig/fixtures.ts'
import { Rig } from '../../rig/rig.ts'
import { startNamespaceSandbox } from '../../sandbox/namespace.ts'
import { ownSystem } from '../../systems/systems.ts'

needsNamespaces()

test('a scenario is copied out: workspace, snapshot, process tree, panes, the log of the system', async ({
  rig,
}) => {
  const agent = await rig.deploy({ persona: 'works' })
  const folder = await copyOut(rig, 'a test of artefacts')
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  expect(read('processes.txt')).toMatch(new RegExp(`claude .*<- ${agent.id}`))
  expect(read('panes.txt')).toContain(`== ${agent.session} %`)
  expect(JSON.parse(read('snapshot.json')).resources.length).toBeGreaterThan(10)
  expect(read(`.agent-workspace/${agent.rig.values.task}/logs/${agent.id}_stream.jsonl`)).toContain(
    '"type":"system"',
  )
  expect(existsSync(join(folder, 'missing.txt'))).toBe(false)
  rmSync(folder, { recursive: true })
})

test('for a dead sandbox the last snapshot is copied, and what is missing is reported', async () => {
  const sandbox = await startNamespaceSandbox()
  const { places } = await sandbox.probe.hello()
  const rig = new Rig(sandbox.probe, places, ownSystem('none'))
  await rig.start()
  await rig.snapshot()
  await sandbox[Symbol.asyncDispose]()
  const folder = await copyOut(rig, 'a test of artefacts of the dead')
  expect(readFileSync(join(folder, 'processes.txt'), 'utf8')).toMatch(/orchestrator\S* --strategy none/)
  expect(readFileSync(join(folder, 'missing.txt'), 'utf8')).toMatch(/sandbox ended/)
  rmSync(folder, { recursive: true })
})
