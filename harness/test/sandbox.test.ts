import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { readProcesses } from '../probe/processes.ts'
import { startNamespaceSandbox } from '../sandbox/namespace.ts'
import { projectRoot } from '../sandbox/project.ts'
import { poll } from '../verdict/poll.ts'

test('nothing outside the sandbox can be written from inside', async () => {
  await using sandbox = await startNamespaceSandbox()
  await sandbox.probe.reset()
  for (const file of [
    `${projectRoot}/x`,
    '/etc/x',
    '/var/tmp/x',
    '/sys/fs/cgroup/x',
    '/proc/sys/kernel/hostname',
  ]) {
    const { code } = await sandbox.probe.run(['sh', '-c', `echo x > ${file}`])
    expect(code, file).not.toBe(0)
  }
  const { code } = await sandbox.probe.run(['sh', '-c', 'echo x > /tmp/x && cat /tmp/x'])
  expect(code).toBe(0)
  expect(existsSync('/tmp/x')).toBe(false)
})

test('the sandbox sees no process, tmux server or network of the machine', async () => {
  await using sandbox = await startNamespaceSandbox()
  await sandbox.probe.reset()
  const { resources, problems } = await sandbox.probe.snapshot()
  expect(resources).toEqual([])
  expect(problems).toEqual([])
  const { stdout } = await sandbox.probe.run(['cat', '/proc/net/dev'])
  expect(
    stdout
      .trim()
      .split('\n')
      .slice(2)
      .map(line => line.trim().split(':')[0]),
  ).toEqual(['lo'])
})

test('a sandbox that is closed takes its processes with it', async () => {
  const marker = unique()
  const sandbox = await startNamespaceSandbox()
  await sandbox.probe.plant(['sh', '-c', `trap '' HUP TERM; exec sleep ${marker}`])
  // The shell takes a moment to become sleep.
  expect(await poll(60_000, async () => (await machineHas(marker)) || undefined)).toBe(true)
  await sandbox[Symbol.asyncDispose]()
  expect(await goneFromMachine(marker)).toBe(true)
})

test('a call to a sandbox that ends says why it got no answer', async () => {
  const sandbox = await startNamespaceSandbox()
  const answer = sandbox.probe.run(['sleep', 'infinity'])
  const closed = sandbox[Symbol.asyncDispose]()
  await expect(answer).rejects.toThrow(/sandbox ended.*SIGKILL/s)
  await closed
})

test('a rig that is killed with -9 leaves no process and no folder', async () => {
  const marker = unique()
  const before = readdirSync(tmpdir())
  const rig = execa(process.execPath, [join(import.meta.dirname, 'fixtures/hold-sandbox.ts'), marker], {
    reject: false,
  })
  expect(await poll(60_000, async () => (await machineHas(marker)) || undefined)).toBe(true)
  rig.kill('SIGKILL')
  await rig
  expect(await goneFromMachine(marker)).toBe(true)
  expect(
    readdirSync(tmpdir()).filter(name => !before.includes(name) && /^leakrig(?!-test)/.test(name)),
  ).toEqual([])
})

test('orphans are collected by the top of the sandbox', async () => {
  await using sandbox = await startNamespaceSandbox()
  await sandbox.probe.reset()
  await sandbox.probe.run(['sh', '-c', 'for i in 1 2 3; do (setsid sleep 0.01 &); done'])
  const empty = await poll(
    5_000,
    async () => (await sandbox.probe.snapshot()).resources.length === 0 || undefined,
  )
  expect(empty).toBe(true)
})

test('a project below /tmp is seen in the sandbox, and only read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  try {
    await execa('cp', ['-r', 'package.json', 'package-lock.json', 'harness', 'cleanup', folder], {
      cwd: projectRoot,
    })
    // Not a link to it: where this clone lies below /tmp too, the sandbox's own /tmp would hide what is linked.
    await copyModules(join(folder, 'node_modules'))
    const program = join(folder, 'harness/test/fixtures/ask-sandbox.ts')
    const { stdout } = await execa(join(folder, 'node_modules/.bin/node'), [
      program,
      `test -e ${folder}/package.json && ! touch ${folder}/x`,
    ])
    expect(stdout).toContain('"code":0')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** Without what Vitest and the fake keep there: other workers write into that meanwhile, and a name can vanish. */
async function copyModules(target: string): Promise<void> {
  const modules = join(projectRoot, 'node_modules')
  const passing = /^\.(cache|vite.*)$/
  const entries = readdirSync(modules).filter(name => !passing.test(name))
  const copy = (flags: string) => {
    rmSync(target, { recursive: true, force: true })
    mkdirSync(target)
    return execa('cp', [flags, ...entries, target], { cwd: modules })
  }
  // A link costs nothing, and can not be made from one file system to another.
  await copy('-rl').catch(() => copy('-r'))
}

/** Sleeps under a number that nobody else uses: the process is found on the machine by it. */
function unique(): string {
  return `9${Math.floor(Math.random() * 1e8)}.5`
}

async function machineHas(marker: string): Promise<boolean> {
  return readProcesses().some(({ command }) => command === `sleep ${marker}`)
}

async function goneFromMachine(marker: string): Promise<boolean | undefined> {
  return poll(60_000, async () => !(await machineHas(marker)) || undefined)
}
