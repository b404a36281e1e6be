import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { programFile } from '../../../bin/programs.ts'
import { type AgentRef, cleanUp } from '../../index.ts'
import type { LogLine } from '../../log.ts'
import { NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const CLAUDE = path.dirname(programFile('fake-claude/main'))
const profiles = ['legacy', 'mid', 'current']

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const home = () => path.join(rig.folder, 'home')
const base = () => path.join(rig.folder, 'base')

/**
 * Deploys a stand-in claude at work: a Bash tool two shells deep, an MCP server that is deaf behind a shell, temporary
 * files and a team. Returns it with its pid.
 */
async function deploy(profile: string): Promise<{ ref: AgentRef; pid: number }> {
  for (const folder of [home(), base()]) fs.mkdirSync(folder)
  const deaf = 'trap "" HUP INT TERM PIPE; while :; do sleep 1; done'
  const mcp = path.join(rig.folder, 'mcp.json')
  const server = { command: 'sh', args: ['-c', `sh -c '${deaf}'; :`] }
  fs.writeFileSync(mcp, JSON.stringify({ mcpServers: { deaf: server } }))
  const journal = path.join(rig.folder, 'journal')
  const directive = `[[fake-claude persona=works profile=${profile} depth=2 shape=temp-files journal=${journal}]]`
  const claude = `echo ready
    export PATH="${CLAUDE}:${path.dirname(process.execPath)}:$PATH" IS_SANDBOX=1 MCP_TIMEOUT=300
    export HOME=${home()} CLAUDE_CODE_TMPDIR=${base()}
    exec claude -p --output-format stream-json --verbose --dangerously-skip-permissions '${directive}' --mcp-config ${mcp}`
  const ref = await rig.deploy('fake', { claude })
  const entries = () =>
    readText(journal)
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line))
  await until('it is at work', () => entries().some(({ what }) => what === 'idle'), 60_000)
  expect(left().map(file => path.basename(path.dirname(file)))).toEqual(
    expect.arrayContaining(['sessions', 'shell-snapshots', 'cc-socks', 'tasks', 'teams', 'base']),
  )
  return { ref, pid: entries().find(({ what }) => what === 'started').pid }
}

/** What a claude that ended well would not have left. */
function left(): string[] {
  const kinds = [
    /\/sessions\/\d+\..*(json|key)$/,
    /\/shell-snapshots\/.*\.sh$/,
    /\/cc-socks\/\d+\.sock$/,
    /\/tasks\/[^/]+\.output$/,
    /\/(teams|tasks)\/swarm-[^/]*$/,
    /\/claude-[0-9a-f]+-cwd$/,
  ]
  const all = [home(), base()].flatMap(folder =>
    fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .map(({ parentPath, name }) => path.join(parentPath, name)),
  )
  return all.filter(file => kinds.some(kind => kind.test(file)))
}

describe.each(profiles)('%s', profile => {
  test('that is given its grace', async () => {
    const { ref, pid } = await deploy(profile)
    // Twice the grace by default, for a machine that is busy.
    const removedByUs: unknown[] = []
    const log = (line: LogLine) => removedByUs.push(...(line.event === 'remove' ? [line.file] : []))
    const report = await cleanUp(ref, { status: 'completed', reason: 'it said so', graceMs: 6_000, log })
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    // It ends in its own time, and nobody kills it.
    expect(report.ended.find(process => process.pid === pid)).toMatchObject({ signal: 'SIGTERM' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(left()).toEqual([])
    if (profile === 'current')
      expect(removedByUs.filter(file => /sessions|cc-socks|shell-snapshots/.test(String(file)))).toEqual([])
  })

  test('that gets no grace, and is killed by us', async () => {
    const { ref, pid } = await deploy(profile)
    const report = await cleanUp(ref, { status: 'terminated', reason: 'x', graceMs: 0 })
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(report.ended.find(process => process.pid === pid)).toMatchObject({ signal: 'SIGKILL' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(left()).toEqual([])
  })

  test('that somebody kills', async () => {
    const { ref, pid } = await deploy(profile)
    process.kill(pid, 'SIGKILL')
    const report = await cleanUp(ref, { status: 'crashed', reason: 'x', graceMs: 1_000 })
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(left()).toEqual([])
  })
})
