/** @module-tag tools */

import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { canCreateNamespaces, needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { poll } from '../../poll.ts'
import { readProcesses } from '../../probe/processes.ts'
import type { SandboxKind } from '../../sandbox/sandbox.ts'
import { startSandbox } from '../../sandbox/start.ts'
import { attackNames, prepareOutside } from '../fixtures/attacks.ts'
import { outputIn } from '../fixtures/output-in.ts'
import { copyProject } from '../fixtures/project-copy.ts'
import { objection as noContainer } from '../support/container.ts'

const ask = [process.execPath, join(import.meta.dirname, '../fixtures/ask-sandbox.ts')]
const namespaces = canCreateNamespaces ? undefined : 'no permission to create namespaces'
const onlyRoot = process.getuid?.() === 0 ? undefined : 'no root rights'

/** A user who owns nothing on this machine and is in no group. */
const asStranger = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', '--']

/** $granted tells the script which capabilities it is allowed to have. */
const granted = (script: string) => `granted=${(1 << 21).toString(16)}\n${script}`

async function inOwnSandbox(kind: SandboxKind, script: string, rights = {}): Promise<string> {
  await using sandbox = await startSandbox(kind, rights)
  return await outputIn(sandbox, script)
}

/** The answer of a sandbox that another process starts. */
async function inSandboxOf(command: string[], options = {}): Promise<string> {
  return String((await execa(command[0] ?? '', command.slice(1), options)).stdout)
}

async function inSandboxOfCopy(script: string): Promise<string> {
  using copy = await copyProject()
  const parts = ['node_modules/.bin/node', 'harness/test/fixtures/ask-sandbox.ts']
  return await inSandboxOf([...parts.map(part => join(copy.folder, part)), '--may-mount', granted(script)])
}

interface Way {
  where: string
  objection?: string | undefined
  /** What it is allowed to do. */
  may?: string
  run: (script: string) => Promise<string>
}

const ways: Way[] = [
  { where: 'a namespace sandbox', objection: namespaces, run: script => inOwnSandbox('namespace', script) },
  {
    where: 'a namespace sandbox that may mount',
    objection: namespaces,
    run: script => inOwnSandbox('namespace', granted(script), { mayMount: true }),
  },
  {
    where: 'a namespace sandbox that may make a pid namespace',
    objection: namespaces,
    may: 'makes a pid namespace',
    run: script => inOwnSandbox('namespace', granted(script), { mayNest: true }),
  },
  {
    where: 'a namespace sandbox of another user',
    objection: onlyRoot,
    run: script => inSandboxOf([...asStranger, ...ask, script]),
  },
  {
    where: 'a namespace sandbox of another user that may mount',
    objection: onlyRoot,
    run: script => inSandboxOf([...asStranger, ...ask, '--may-mount', granted(script)]),
  },
  {
    where: 'a namespace sandbox that may mount and is root outside, since only root may read the project',
    objection: onlyRoot,
    run: inSandboxOfCopy,
  },
  {
    where: 'a container sandbox',
    objection: noContainer,
    run: script => inOwnSandbox('container', script),
  },
]

for (const { where, objection, may, run } of ways)
  describe(`within ${where} nothing`, () => {
    let succeeded: string[] = []

    beforeAll(async () => {
      if (objection) return
      await using outside = await prepareOutside()
      succeeded = (await run(outside.script)).split('\n')
      expect(succeeded, 'the script came to its end').toContain('end')
    })

    test.for(attackNames.filter(name => name !== may))('%s', (name, { skip }) => {
      skip(objection !== undefined, objection)
      expect(succeeded).not.toContain(name)
    })
  })

test('a descriptor that the rig inherited is not open in the sandbox', async () => {
  needsNamespaces()
  const folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  writeFileSync(join(folder, 'secret'), 'secret\n')
  const open = openSync(folder, 'r')
  // Node itself closes the low descriptors of its children.
  const stdio = [...Array(3).fill('pipe'), ...Array(197).fill('ignore'), open]
  const answer = await inSandboxOf([...ask, 'cat /proc/self/fd/*/secret'], { stdio })
  closeSync(open)
  expect(answer).toBe('')
})

test('a key of the rig’s session is not found', async () => {
  needsNamespaces()
  needs('x86_64, whose system calls it knows by number', process.arch === 'x64')
  const keyctl = (...args: string[]) => `syscall(250, ${args.join(', ')})`
  const [newSession, search, session] = ['1', '10', '-3']
  const key = 'my ($type, $name, $value) = ("user", "leakrig-test", "secret")'
  const add = `syscall(248, $type, $name, $value, 6, ${session}) > 0 or die`
  const prepare = `${key}; ${keyctl(newSession, '0')}; ${add}; exec @ARGV`
  const find = `perl -e '${key}; exit(${keyctl(search, session, '$type', '$name', '0')} < 0)' && echo found`
  const outside = await execa('perl', ['-e', prepare, 'sh', '-c', find])
  expect(outside.stdout).toBe('found')
  expect(await inSandboxOf(['perl', '-e', prepare, ...ask, find])).toBe('')
})

test('a process that stops and kills everything it can does not outlive the rig', async () => {
  needsNamespaces()
  const marker = `9${Math.floor(Math.random() * 1e8)}.5`
  const hold = join(import.meta.dirname, '../fixtures/hold-sandbox.ts')
  // The probe is stopped, so that it does not notice the end of its input.
  const script = `
    for folder in /proc/[0-9]*; do
      pid=\${folder#/proc/}
      [ $pid -ne $$ ] || continue
      case $(cat $folder/comm) in node* | MainThread) kill -STOP $pid ;; *) kill -KILL $pid ;; esac
    done
    exec sleep ${marker}`
  const rig = execa(process.execPath, [hold, 'sh', '-c', script], { reject: false })
  const left = () => readProcesses().filter(({ command }) => command === `sleep ${marker}`)
  expect(await poll(60_000, async () => left().length > 0 || undefined)).toBe(true)
  rig.kill('SIGKILL')
  await rig
  const isGone = await poll(10_000, async () => left().length === 0 || undefined)
  for (const { ppid } of left()) process.kill(ppid, 'SIGKILL') // the probe, whose end ends the sandbox
  expect(isGone).toBe(true)
})
