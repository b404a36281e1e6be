import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AgentRef } from '../../index.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import { Daemon } from '../support/daemon.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const result = (fields: object = {}) =>
  `echo '${JSON.stringify({ type: 'result', subtype: 'success', is_error: false, ...fields })}'`
/** Keeps the terminal of its pane, like an MCP server. */
const server = 'sleep 1000 &'
/** In a session of its own, like a command of the Bash tool. */
const command = 'setsid sleep 1000 >/dev/null 2>&1 &'
const wait = 'wait; sleep 1000'

let rig: Rig
let daemon: Daemon
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(async () => {
  await daemon.stop()
  await rig[Symbol.asyncDispose]()
})

const silent = () => daemon.events('silent').map(({ agent }) => agent)

// At the pace of a daemon; silence.test.ts proves the same of the watchdog alone.
describe('a silent agent', { tags: ['long'] }, () => {
  test('is marked and logged once, until it writes to its log or is updated in the registry', async () => {
    daemon = await Daemon.start(rig, '--silent-after', '1s')
    const claude = `echo ready; ${server} ${wait}`
    const [writes, updated] = [
      await rig.deploy('writes', { claude }),
      await rig.deploy('updated', { claude }),
    ]
    const agents = [writes, updated]
    const deployed = agents.map(ref => rig.entry(ref).last_update)
    const isMarked = (ref: AgentRef) => rig.entry(ref).silent_since !== undefined
    await until('they are marked', () => agents.every(isMarked))
    expect(agents.map(ref => rig.entry(ref).status)).toEqual(['running', 'running'])
    expect(agents.map(ref => rig.entry(ref).last_update)).toEqual(deployed)
    fs.appendFileSync(layout.streamLog(writes), '{"type":"assistant"}\n')
    await updateAgent(updated, entry => {
      entry.progress = 7
    })
    // One of them may be silent again before it is noticed that the other one was not.
    const spoke = new Set<AgentRef>()
    await until('that is taken back', () => {
      for (const ref of agents) if (!isMarked(ref)) spoke.add(ref)
      return spoke.size === 2
    })
    await until('they are silent again', () => silent().length === 4)
    expect(silent().toSorted()).toEqual(['updated', 'updated', 'writes', 'writes'])
    expect(daemon.events('output-resumed')).toHaveLength(2)
  })

  test('is logged once, also by the next daemon, and not ended by default', async () => {
    daemon = await Daemon.start(rig, '--silent-after', '1s')
    const ref = await rig.deploy('a', { claude: `echo ready; ${result()}; ${server} ${wait}` })
    await until('it is marked', () => rig.entry(ref).silent_since !== undefined)
    await daemon.stop()
    daemon = await Daemon.start(rig, '--silent-after', '1s')
    const other = await rig.deploy('b', { claude: `echo ready; ${server} ${wait}` })
    await until('the other one is logged', () => silent().length > 0)
    expect(silent()).toEqual([other.agentId])
    expect(rig.entry(ref).status).toBe('running')
  })
})

describe('with --end-idle', () => {
  test('an agent that finished and idles is ended as completed, and no other agent is', async () => {
    daemon = await Daemon.start(rig, '--silent-after', '1s', '--end-idle')
    const kept = {
      'at-work': `echo ready; ${result()}; ${server} ${command} ${wait}`,
      'said-more': `echo ready; ${result()}; echo '{"type":"assistant"}'; ${server} ${wait}`,
      failed: `echo ready; ${result({ is_error: true })}; ${server} ${wait}`,
      'no-result': `echo ready; ${server} ${wait}`,
    }
    for (const [id, claude] of Object.entries(kept)) await rig.deploy(id, { claude })
    const idle = await rig.deploy('idle', { claude: `echo ready; ${result()}; ${server} ${wait}` })
    await until('the idle one is clean', () => rig.entry(idle).cleanup?.state === 'done')
    await until('the others are silent', () => silent().length === 5)
    expect(rig.entry(idle)).toMatchObject({ status: 'completed', reason: expect.stringContaining('idled') })
    expect(traces(rig, idle)).toEqual(NO_TRACES)
    for (const id of Object.keys(kept)) expect(rig.entry(rig.ref(id)).status).toBe('running')
  })
})
