import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { measure } from '../../metrics/measure.ts'
import { layout } from '../../orchestrator.ts'
import { Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

// The one-liners of the report's section 9 against `measure`, on a real workspace with real sessions and processes.

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
  fs.symlinkSync('/bin/sleep', `${rig.folder}/claude`)
})
afterEach(() => rig[Symbol.asyncDispose]())

const shell = (line: string): string =>
  execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8', cwd: rig.folder }).trim()
const claude = () => `${rig.folder}/claude 1000 & echo ready; wait`
const measured = async () => {
  const found = await measure([rig.workspace])
  expect(found.problems).toEqual([])
  return found
}

test('tmux list-sessions | grep agent_ | wc -l', async () => {
  await rig.deploy('one', { claude: claude() })
  await rig.deploy('two', { claude: claude() })
  const ours = async () => (await measured()).sessions
  const theirs = () => Number(shell('tmux list-sessions | grep agent_ | wc -l'))

  // Both agree in the simple case.
  expect(await ours()).toMatchObject({ active: 2, ended: 0, leftover: [] })
  expect(theirs()).toBe(2)

  // The one-liner counts a leftover session like any other; `measure` counts it apart.
  rig.tmux('new-session', '-d', '-s', 'agent_ghost', 'sleep 1000')
  expect(await ours()).toMatchObject({ active: 2, leftover: [{ name: 'agent_ghost', socket: rig.socket }] })
  expect(theirs()).toBe(3)

  // By design: a user's own session with "agent_" in its name does not belong to an agent.
  rig.tmux('new-session', '-d', '-s', 'my_agent_notes', 'sleep 1000')
  expect((await ours())?.leftover).toHaveLength(1)
  expect(theirs()).toBe(4)

  // By design: an agent on another server counts; the one-liner asks only one server.
  await rig.deploy('three', { claude: claude(), socket: `${rig.folder}/other` })
  expect(await ours()).toMatchObject({ active: 3 })
  expect(theirs()).toBe(4)
})

test('ps aux | grep claude | wc -l', async () => {
  // The id puts the word into the command lines of the shell and of tee, as in the report's system.
  await rig.deploy('claude-one', { claude: claude() })
  // A user's editor, and a user's own claude in another terminal.
  const editor = rig.start('perl', ['-e', 'sleep 1000', `${rig.folder}/claude-notes.md`])
  const own = rig.start(`${rig.folder}/claude`, ['1000'])
  const names = ['bash', 'bash', 'claude', 'claude', 'perl', 'tee']
  // Other work runs on this machine, so only lines of this test count, and the grep itself.
  const greps = await until('ps shows them all', () => {
    const all = shell('ps axo pid=,comm=,args= | grep claude').split('\n')
    const ofTest = all.filter(line => line.includes(rig.folder))
    const named = ofTest.map(line => line.trim().split(/\s+/)[1] ?? '')
    return isDeepStrictEqual(named.toSorted(), names) && all.filter(line => /^\s*\d+ grep/.test(line))
  })

  // The word is in six command lines, two of them of a claude, and in grep's own.
  expect(greps.length).toBeGreaterThanOrEqual(1)
  expect(Number(shell('ps aux | grep claude | wc -l'))).toBeGreaterThan(6)

  // `measure` finds one claude among the agent's four processes; the user's claude has no owner, and the editor is not one.
  const { processes, workspaces } = await measured()
  expect(processes).toMatchObject({ ofAgents: 4, claudesOfAgents: 1 })
  expect(workspaces[0]?.agents[0]).toMatchObject({ processes: 4, claudes: 1 })
  expect(processes?.claudesUnowned).toBeGreaterThanOrEqual(1)
  expect(processes?.leftovers.map(({ pid }) => pid)).not.toContain(editor)
  expect(processes?.leftovers.map(({ pid }) => pid)).not.toContain(own)
})

test('du -sh', async () => {
  const ref = await rig.deploy('one', { claude: claude() })
  const archive = layout.archiveFolder(ref)
  fs.writeFileSync(path.join(archive, 'old_stream.jsonl'), 'x'.repeat(100_000))
  // One file with two names, and a sparse file.
  fs.linkSync(path.join(archive, 'old_stream.jsonl'), path.join(archive, 'old_stream.1.jsonl'))
  fs.writeFileSync(path.join(rig.workspace, 'sparse'), '')
  fs.truncateSync(path.join(rig.workspace, 'sparse'), 10_000_000)
  fs.symlinkSync('/usr', path.join(rig.workspace, 'link'))

  const { workspaces } = await measured()
  const classes = Object.values(workspaces[0]?.disk?.classes ?? {})
  const sum = classes.reduce((all, { allocatedBytes }) => all + allocatedBytes, 0)
  expect(sum).toBe(Number(shell('du -s --block-size=1 .agent-workspace').split('\t')[0]))
  expect(sum).toBeGreaterThan(0)

  // By design: the lengths differ, and du -sh does not show them.
  const { archive: old, other } = workspaces[0]?.disk?.classes ?? {}
  expect(old).toMatchObject({ files: 2, bytes: 200_000 })
  expect(old?.allocatedBytes).toBeLessThan(200_000)
  expect(other?.bytes).toBeGreaterThan(10_000_000)
  expect(other?.allocatedBytes).toBeLessThan(100_000)
})

test('find -name "agent_prompt_*.txt" and "*_stream.jsonl"', async () => {
  const refs = [await rig.deploy('one', { claude: claude() }), await rig.deploy('two', { claude: claude() })]
  const find = (name: string) => Number(shell(`find .agent-workspace -name '${name}' | wc -l`))
  const ours = async () => (await measured()).workspaces[0]?.disk?.classes

  expect(await ours()).toMatchObject({ prompt: { files: 2 }, stream: { files: 2 } })
  expect([find('agent_prompt_*.txt'), find('*_stream.jsonl')]).toEqual([2, 2])
  for (const name of ['progress', 'findings', 'deploy'])
    expect(await ours()).toHaveProperty(`${name}.files`, 2)
  // Both registries, and the lock beside each.
  expect(await ours()).toMatchObject({ registry: { files: 4 }, other: { files: 0 } })

  // By design: an archived log counts as an archive. The report expects its one-liner to fall to the active count, which it cannot.
  const [first] = refs
  if (first) fs.renameSync(layout.streamLog(first), layout.archived(first, layout.streamLog(first)))
  expect(await ours()).toMatchObject({ stream: { files: 1 }, archive: { files: 1 } })
  expect(find('*_stream.jsonl')).toBe(2)
})
