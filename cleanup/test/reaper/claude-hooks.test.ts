import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { programFile } from '../../../bin/programs.ts'
import { type AgentRef, cleanUp } from '../../index.ts'
import { planFor } from '../../reaper/plan.ts'
import { readTaskRegistry } from '../../registry/registry.ts'
import { NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const CLAUDE = path.dirname(programFile('fake-claude/main'))
const completed = { status: 'completed', reason: 'it said so' }

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
  for (const folder of [home(), work()]) fs.mkdirSync(folder, { recursive: true })
})
afterEach(() => rig[Symbol.asyncDispose]())

const home = () => path.join(rig.folder, 'home')
const work = () => path.join(rig.folder, 'repository/below')

/** Settings with hooks that hang at these events, each a shell with a child. */
const hanging = (...events: string[]) => ({
  hooks: Object.fromEntries(
    events.map(event => [event, [{ hooks: [{ type: 'command', command: 'sleep 1000; :' }] }]]),
  ),
})

function write(file: string, content: unknown): void {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
}

/** Deploys a stand-in claude that works, and waits until it does, or until its hook hangs. */
async function deploy(options = '', id = 'fake'): Promise<AgentRef> {
  const journal = path.join(rig.folder, `journal-${id}`)
  const ref = await rig.deploy(id, {
    claude: `echo ready; cd ${work()}
      export PATH="${CLAUDE}:${path.dirname(process.execPath)}:$PATH" IS_SANDBOX=1 HOME=${home()}
      export CLAUDE_CODE_TMPDIR=${rig.folder}
      exec claude -p --output-format stream-json --verbose --dangerously-skip-permissions \
        '[[fake-claude persona=works journal=${journal}]]' ${options}`,
  })
  await until('it works, or a hook hangs', () => /"(idle|hook)"/.test(readText(journal)), 60_000)
  return ref
}

const graceOf = async (ref: AgentRef) =>
  (await planFor(ref, readTaskRegistry(ref.workspace, ref.taskId))).graceMs

describe('the grace of a claude', () => {
  const user = () => path.join(home(), '.claude/settings.json')
  const project = (name: string, folder = work()) => path.join(folder, '.claude', name)
  const repository = () => path.dirname(work())

  test('without hooks is 3 s', async () => {
    write(user(), { hooks: { PreToolUse: [] }, model: 'x' })
    write(project('settings.json'), 'no JSON')
    fs.mkdirSync(path.join(repository(), '.git'))
    write(project('settings.json', path.dirname(repository())), hanging('Stop'))
    expect(await graceOf(await deploy())).toBe(3_000)
  })

  test.each<[string, () => string | undefined]>([
    ['the user’s settings', () => void write(user(), hanging('Stop'))],
    [
      'settings behind a link of the user’s',
      () => {
        write(path.join(rig.folder, 'dotfiles'), hanging('Stop'))
        fs.mkdirSync(path.dirname(user()), { recursive: true })
        fs.symlinkSync(path.join(rig.folder, 'dotfiles'), user())
        return undefined
      },
    ],
    ['the project’s settings', () => void write(project('settings.json'), hanging('Stop'))],
    ['its local settings', () => void write(project('settings.local.json'), hanging('Stop'))],
    [
      'the settings of its repository',
      () => {
        fs.mkdirSync(path.join(repository(), '.git'))
        return void write(project('settings.json', repository()), hanging('Stop'))
      },
    ],
    [
      'a file in its arguments',
      () => {
        write(`${rig.folder}/given`, hanging('Stop'))
        return '--settings ../../given'
      },
    ],
    ['JSON in its arguments', () => `--settings='${JSON.stringify(hanging('Stop'))}'`],
    ['a plugin', () => void write(user(), { enabledPlugins: { 'p@m': true } })],
    [
      'a hook that runs',
      () => {
        write(user(), hanging('SessionStart'))
        return undefined
      },
    ],
  ])('with hooks in %s is 7 s', async (_, prepare) => {
    const options = prepare()
    expect(await graceOf(await deploy(options))).toBe(7_000)
  })

  test('whose hooks are switched off is 3 s', async () => {
    write(user(), { ...hanging('Stop'), disableAllHooks: true })
    expect(await graceOf(await deploy())).toBe(3_000)
  })

  test('takes nothing from a FIFO or a device', async () => {
    const ref = await deploy()
    fs.mkdirSync(path.dirname(user()), { recursive: true })
    fs.symlinkSync('/dev/zero', user())
    fs.mkdirSync(path.dirname(project('settings.json')))
    execFileSync('mkfifo', [project('settings.json')])
    expect(await graceOf(ref)).toBe(3_000)
  })
})

describe('a claude whose hooks hang', { tags: ['long'] }, () => {
  test.each([['PreToolUse', 'SessionEnd'], ['SessionEnd']])(
    '%s %s gets the time to end by itself',
    async (...events) => {
      write(path.join(home(), '.claude/settings.json'), hanging(...events))
      const ref = await deploy()
      const report = await cleanUp(ref, completed)
      expect(report).toMatchObject({ outcome: 'clean', problems: [] })
      expect(report.ended.find(({ comm }) => comm === 'claude')?.signal).toBe('SIGTERM')
      expect(report.ms).toBeGreaterThan(4_000)
      expect(traces(rig, ref)).toEqual(NO_TRACES)
    },
  )

  test('leaves nothing when it is killed within one', async () => {
    write(path.join(home(), '.claude/settings.json'), hanging('PreToolUse', 'SessionEnd'))
    const ref = await deploy()
    const report = await cleanUp(ref, { ...completed, graceMs: 300 })
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(report.ended.find(({ comm }) => comm === 'claude')?.signal).toBe('SIGKILL')
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})
