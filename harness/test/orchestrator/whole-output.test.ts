import { execFileSync } from 'node:child_process'
import { expect, test as plainTest } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { deleteLog, rotateLog } from '../../catalogue/faults/files.ts'
import { expect as expectRig } from '../../index.ts'
import { test } from '../../rig/fixtures.ts'
import { eventsIn, writtenEvents } from '../../rig/stream-log.ts'
import { ownSystem } from '../../systems/systems.ts'
import { Workspace } from '../support/workspace.ts'

const ids = { task_id: 'T1', agent_id: 'worker' }

plainTest('the output goes on in the parts that a rotation renamed, wherever they are', async () => {
  await using workspace = new Workspace({ T1: { worker: 'orchestrator' } })
  const write = (name: string, lines: string, minutesAgo: number) => {
    workspace.writeText(`T1/${name}`, lines)
    execFileSync('touch', ['-d', `${minutesAgo} minutes ago`, `${workspace.path}/T1/${name}`])
  }
  write('archive/worker_stream.jsonl.3', 'one\ntwo\n', 4)
  write('logs/worker_stream.jsonl.2', 'three\n', 3)
  write('logs/worker_stream.jsonl-20261130', 'four\nfive\n', 2)
  write('logs/worker_stream.jsonl', 'six\n', 1)
  write('logs/worker_stream.jsonl.bak', 'somebody’s own copy\n', 0)
  write('logs/workers_stream.jsonl.1', 'another agent’s\n', 0)
  const instance = await workspace.instance('none')
  const read = async (lines: number) => (await instance.call('get_agent_output', { ...ids, lines })).said
  expect((await read(10)).output).toEqual(['one', 'two', 'three', 'four', 'five', 'six'])
  expect(await read(2)).toMatchObject({ output: ['five', 'six'] })
  expect(await read(6)).not.toHaveProperty('output_cut')

  write('logs/worker_stream.jsonl.4.gz', 'compressed', 5)
  expect(await read(6)).not.toHaveProperty('output_cut')
  const { output, output_cut } = await read(7)
  expect(output).toHaveLength(6)
  expect(output_cut).toMatch(/^Older lines are in \S+worker_stream.jsonl.4.gz, which is compressed/)
})

needsNamespaces()

const immediate = test.extend('system', () => ownSystem('immediate'))

const faults = { rotated: rotateLog, deleted: deleteLog }

for (const [what, fault] of Object.entries(faults))
  immediate(`the output of an agent whose log was ${what} is whole, as its archive is`, async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'talks', events: 3 })
    await fault(agent)
    const ask = { task_id: rig.values.task, agent_id: agent.id }
    const { output, output_cut } = await rig.callTool('get_agent_output', ask)
    expect(output_cut).toBe(undefined)
    expect(eventsIn((output as string[]).join('\n'))).toEqual(writtenEvents(await agent.journal()))
    await agent.isKilled()
    await expectRig(rig).toReturnToBaseline()
    await expectRig(agent).toHaveArchivedLogs()
  })
