import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AgentRef, cleanUp } from '../../index.ts'
import { leakrig } from '../support/cli.ts'
import { isRunning, Rig } from '../support/rig.ts'

/* What an agent hands to a service (`docker run`) is the service's. A stand-in: a script `docker` and what it starts. */

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Deploys an agent that runs `docker run -d web`, where docker is this script, and then works. */
async function deploy(docker: string): Promise<{ ref: AgentRef; pid: number }> {
  fs.mkdirSync(`${rig.folder}/bin`)
  fs.writeFileSync(`${rig.folder}/bin/docker`, `#!/bin/bash\n${docker}\n`, { mode: 0o755 })
  const wait = `until [ -s ${rig.folder}/web.pid ]; do sleep 0.01; done`
  const claude = `${rig.folder}/bin/docker run -d web &\n${wait}; echo ready; sleep 1000 & wait`
  const ref = await rig.deploy('a', { claude })
  return { ref, pid: await rig.pid('web') }
}

const web = () => `bash -c 'echo $$ >${rig.folder}/web.pid; exec sleep 1000'`
const daemon = (prefix: string) => `(cd /; setsid ${prefix} ${web()} </dev/null >/dev/null 2>&1 &)`

test('a client that still runs is named with its command, because what it had a service run may go on', async () => {
  const { ref, pid } = await deploy(`${web()} & wait`)
  const note = expect.stringMatching(
    /^Process \d+ \(docker\) asks a service to run something, which carries no trace of the agent and may go on\. Its command line: .*docker run -d web$/,
  )
  expect(leakrig(['explain', 'a', rig.workspace]).out).toMatch(/stays: Process \d+ \(docker\) asks/)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', notes: [note] })
  expect(isRunning(pid)).toBe(false)
})

test('what a client starts as a daemon is claimed by its marker', async () => {
  const { ref, pid } = await deploy(daemon(''))
  const report = await cleanUp(ref, completed)
  expect(report.ended.find(one => one.pid === pid)?.evidence[0]?.kind).toMatch(/tmux-environment|marker/)
  expect(report.notes).toEqual([])
  expect(isRunning(pid)).toBe(false)
})

test('with an emptied environment it is a suspect', async () => {
  const { ref, pid } = await deploy(daemon('env -i'))
  const { suspects } = await cleanUp(ref, completed)
  expect(suspects.find(one => one.pid === pid)?.resemblances).toContain('its environment was emptied')
  expect(leakrig(['status', rig.workspace]).out).toMatch(new RegExp(`suspect of TASK-1/a: sleep ${pid} `))
  expect(isRunning(pid)).toBe(true)
})
