import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AgentRef } from '../../index.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import { Daemon } from '../support/daemon.ts'
import { NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
let daemon: Daemon
beforeEach(async () => {
  rig = await Rig.start()
  daemon = await Daemon.start(rig)
})
afterEach(async () => {
  await daemon.stop()
  await rig[Symbol.asyncDispose]()
})

const isClean = (ref: AgentRef) => () => rig.entry(ref).cleanup?.state === 'done'

describe('a program that writes the registry without taking the lock', () => {
  const ways: [string, (file: string, text: string) => void][] = [
    [
      'by rename',
      (file, text) => {
        fs.writeFileSync(`${file}.theirs`, text)
        fs.renameSync(`${file}.theirs`, file)
      },
    ],
    ['in place', (file, text) => fs.writeFileSync(file, text)],
  ]

  test.each(ways)(
    '%s, with what it read before our cleanup: it is cleaned up again, and theirs stays',
    async (_, write) => {
      const ref = await rig.deploy('a', { claude: idle })
      const file = layout.taskRegistry(rig.workspace, ref.taskId)
      const stale = JSON.parse(fs.readFileSync(file, 'utf8'))
      rig.tmux('kill-session', '-t', '=agent_a:')
      await until('it is clean', isClean(ref))
      stale.agents[0].their_note = 'still here'
      write(file, JSON.stringify({ ...stale, their_field: [1] }))
      await until('it is clean again', () => rig.entry(ref).their_note !== undefined && isClean(ref)())
      expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject({ their_field: [1], active_count: 0 })
      expect(traces(rig, ref)).toEqual(NO_TRACES)
      expect(fs.readdirSync(layout.archiveFolder(ref))).toHaveLength(4)
    },
  )

  test.each(ways)(
    '%s, and takes back the end, but not that it is clean: the end is written anew',
    async (_, write) => {
      const ref = await rig.deploy('a', { claude: idle })
      const file = layout.taskRegistry(rig.workspace, ref.taskId)
      rig.tmux('kill-session', '-t', '=agent_a:')
      await until('it is clean', isClean(ref))
      const mixed = JSON.parse(readText(file))
      mixed.agents[0].status = 'running'
      write(file, JSON.stringify(mixed))
      await until('it has ended again', () => rig.entry(ref).status === 'crashed' && isClean(ref)())
      const ends = daemon.events('ended').length
      const later = await rig.deploy('later', { claude: idle })
      rig.tmux('kill-session', '-t', '=agent_later:')
      await until('time has passed', isClean(later))
      expect(daemon.events('ended')).toHaveLength(ends + 1)
    },
  )

  test.each(ways)(
    '%s, and takes back a success whose log is in the archive: not a crash',
    async (_, write) => {
      const script = `echo ready; until [ -e ${rig.folder}/go ]; do sleep 0.02; done; echo '{"type":"result","subtype":"success"}'`
      const ref = await rig.deploy('a', { claude: script })
      const file = layout.taskRegistry(rig.workspace, ref.taskId)
      const stale = readText(file)
      fs.writeFileSync(`${rig.folder}/go`, '')
      await until('it is clean', isClean(ref))
      expect(rig.entry(ref).status).toBe('completed')
      write(file, stale.replace('"running"', '"running", "theirs": true'))
      await until('it is clean again', () => rig.entry(ref).theirs === true && isClean(ref)())
      expect(rig.entry(ref).status).toBe('completed')
      expect(daemon.events('ended').map(({ status }) => status)).not.toContain('crashed')
    },
  )

  test.each(ways)('%s, in the middle of our own write: both changes are kept', async (_, write) => {
    const ref = await rig.deploy('a', { claude: idle })
    const file = layout.taskRegistry(rig.workspace, ref.taskId)
    let isTheirTurn = true
    await updateAgent(ref, entry => {
      if (isTheirTurn) write(file, JSON.stringify({ ...JSON.parse(readText(file)), their_field: 1 }))
      isTheirTurn = false
      entry.progress = 7
    })
    expect(JSON.parse(readText(file))).toMatchObject({ their_field: 1, agents: [{ id: 'a', progress: 7 }] })
  })

  test.each(ways)('%s, repeatedly while agents end: all agents are clean in the end', async (_, write) => {
    const refs: AgentRef[] = []
    for (const id of ['a', 'b', 'c', 'd']) refs.push(await rig.deploy(id, { claude: idle }))
    const file = layout.taskRegistry(rig.workspace, refs[0]?.taskId ?? '')
    rig.tmux('kill-session', '-t', '=agent_a:')
    rig.tmux('kill-session', '-t', '=agent_b:')
    for (let n = 0; n < 40; n++) {
      const read = JSON.parse(fs.readFileSync(file, 'utf8'))
      await new Promise(resolve => setTimeout(resolve, 10))
      write(file, JSON.stringify({ ...read, their_count: n }))
      if (n === 10) rig.tmux('kill-session', '-t', '=agent_c:')
    }
    for (const ref of refs.slice(0, 3)) {
      await until(`${ref.agentId} is clean`, isClean(ref))
      expect(traces(rig, ref)).toEqual(NO_TRACES)
    }
    expect(rig.entry(rig.ref('d')).status).toBe('running')
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject({ their_count: 39 })
    expect(daemon.events('problem')).toEqual([])
  })
})

test('a log that another process still writes stays until that process is done, no line is lost, and it is reported once', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  const other = await rig.deploy('other', { claude: idle })
  const log = layout.streamLog(ref)
  // It writes the logs of two agents, so no agent owns it; it records how many lines it wrote.
  const script = `exec 3>>${log} 4>>${layout.streamLog(other)}; n=0; until [ -e ${rig.folder}/enough ]; do n=$((n+1)); echo "{\\"line\\":$n}" >&3; sleep 0.01 3>&- 4>&-; done; echo $n > ${rig.folder}/lines`
  const collector = rig.start('bash', ['-c', script])
  await until('it writes', () => readText(log).includes('"line":3'))
  rig.tmux('kill-session', '-t', '=agent_a:')
  await until('it is logged', () => daemon.events('cleanup-failed').length > 0)
  await until('it was tried again', () => daemon.events('cleaned').length > 2)
  expect(daemon.events('cleanup-failed')).toHaveLength(1)
  expect(JSON.stringify(daemon.events('cleanup-failed'))).toContain(`process ${collector}`)
  expect(fs.existsSync(log)).toBe(true)
  fs.writeFileSync(path.join(rig.folder, 'enough'), '')
  await until('it is clean', isClean(ref))
  const lines = readText(layout.archived(ref, log)).trimEnd().split('\n')
  expect(lines.filter(line => line.includes('"line"'))).toHaveLength(
    Number(readText(path.join(rig.folder, 'lines'))),
  )
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})
