import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { poll } from '../../poll.ts'
import { readProcesses } from '../../probe/processes.ts'
import { startNamespaceSandbox } from '../../sandbox/namespace.ts'
import { copyProject } from '../fixtures/project-copy.ts'

needsNamespaces()

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

test('closing a sandbox ends its processes', async () => {
  const marker = unique()
  const sandbox = await startNamespaceSandbox()
  await sandbox.probe.plant(['sh', '-c', `trap '' HUP TERM; exec sleep ${marker}`])
  // The shell takes a moment to become sleep.
  expect(await poll(60_000, async () => (await machineHas(marker)) || undefined)).toBe(true)
  await sandbox[Symbol.asyncDispose]()
  expect(await goneFromMachine(marker)).toBe(true)
})

test('a call to a sandbox that ends fails with the reason', async () => {
  const sandbox = await startNamespaceSandbox()
  const answer = sandbox.probe.run(['sleep', 'infinity'])
  const closed = sandbox[Symbol.asyncDispose]()
  await expect(answer).rejects.toThrow(/sandbox ended.*SIGKILL/s)
  await closed
  await expect(sandbox.probe.snapshot()).rejects.toThrow(/sandbox ended.*SIGKILL/s)
})

test('a rig that is killed with -9 leaves no process and no folder', async () => {
  const marker = unique()
  const temporary = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }))
  const hold = join(import.meta.dirname, '../fixtures/hold-sandbox.ts')
  const rig = execa(process.execPath, [hold, 'sleep', marker], {
    reject: false,
    env: { TMPDIR: temporary },
  })
  expect(await poll(60_000, async () => (await machineHas(marker)) || undefined)).toBe(true)
  rig.kill('SIGKILL')
  await rig
  expect(await goneFromMachine(marker)).toBe(true)
  expect(readdirSync(temporary)).toEqual([])
})

test('process 1 of the sandbox collects orphans', async () => {
  await using sandbox = await startNamespaceSandbox()
  await sandbox.probe.reset()
  await sandbox.probe.run(['sh', '-c', 'for i in 1 2 3; do (setsid sleep 0.01 &); done'])
  const empty = await poll(
    5_000,
    async () => (await sandbox.probe.snapshot()).resources.length === 0 || undefined,
  )
  expect(empty).toBe(true)
})

test('a project below /tmp is visible in the sandbox, read-only', async () => {
  using copy = await copyProject()
  const program = join(copy.folder, 'harness/test/fixtures/ask-sandbox.ts')
  const { stdout } = await execa(join(copy.folder, 'node_modules/.bin/node'), [
    program,
    `test -e ${copy.folder}/package.json && ! touch ${copy.folder}/x && echo seen`,
  ])
  expect(stdout).toBe('seen')
})

test('a Node in another folder is visible in the sandbox, and nothing beside it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const node = join(folder, 'node')
  copyFileSync(process.execPath, node)
  writeFileSync(join(folder, 'beside'), '')
  // Another user has to be able to start it.
  chmodSync(folder, 0o755)
  const ask = join(import.meta.dirname, '../fixtures/ask-sandbox.ts')
  const { stdout } = await execa(node, [ask, `ls ${folder}; node -p process.execPath`])
  expect(stdout).toBe(`node\n${node}`)
})

const fakeKernel = 'mount -t tmpfs tmpfs /proc/sys/kernel'

/** Each setting that refuses, and how to make this machine look so. */
const refusals = {
  'user.max_user_namespaces': ':',
  // Ubuntu's and Debian's; the kernel here may have neither. Ubuntu has both.
  'kernel.apparmor_restrict_unprivileged_userns': `${fakeKernel} && echo 1 >/proc/sys/kernel/apparmor_restrict_unprivileged_userns && echo 1 >/proc/sys/kernel/unprivileged_userns_clone`,
  'kernel.unprivileged_userns_clone': `${fakeKernel} && echo 0 >/proc/sys/kernel/unprivileged_userns_clone`,
}

/** Runs the rig, after `prepare` in a mount namespace of its own, below the command `around`. */
function refused(prepare: string, around: string[]) {
  const program = join(projectRoot, 'bin/leakrig.ts')
  const rig = [process.execPath, program, 'scenarios', '--sandbox', 'namespace']
  const args = ['--mount', 'sh', '-c', `${prepare} && exec "$@"`, 'sh', ...around, ...rig]
  return execa('unshare', args, { reject: false })
}

test.for(Object.entries(refusals))('a refusal names the setting %s', async ([name, prepare]) => {
  needs('root rights', process.getuid?.() === 0)
  // A user in a namespace that may have no namespaces below it.
  const none = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
  const asUser = ['unshare', '--user', '--map-user=1000', '--keep-caps', 'sh', '-c', none, 'sh']
  const { stderr, exitCode } = await refused(prepare, asUser)
  expect(stderr).toMatch(
    new RegExp(
      `^leakrig: The namespace sandbox needs the right to .*\\): run as root, or .*\\(sysctl ${name}=\\d+\\)\\.$`,
    ),
  )
  expect(exitCode).toBe(3)
})

test('root without the right to mount is told about its container, and not to run as root', async () => {
  needs('root rights', process.getuid?.() === 0)
  needs(
    'setting that allows user namespaces',
    !existsSync('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
  )
  const { stderr, exitCode } = await refused(':', [
    'setpriv',
    '--bounding-set=-sys_admin',
    '--inh-caps=-sys_admin',
  ])
  expect(stderr).toMatch(
    /^leakrig: The namespace sandbox needs the right to .*\): start the container that this runs in with /,
  )
  expect(exitCode).toBe(3)
})

test.for([
  [
    ['sh', 'mkdir'],
    /^leakrig: The namespace sandbox needs programs that are not on the PATH: install chmod, cp, ln, readlink \(package coreutils\) and mount, .*setpriv, umount, unshare \(package util-linux\)\.$/,
  ],
  [
    ['sh', 'chmod', 'cp', 'ln', 'mkdir', 'mount', 'setpriv', 'umount', 'unshare'],
    /^leakrig: The namespace sandbox needs the program umount, and does not show the folder \S+ that it is in: install it in a folder of the system, such as \/usr\/bin\.$/,
  ],
] as const)('with only %j it says what is missing', async ([programs, sentence]) => {
  const folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const program of programs) {
    const { stdout } = await execa('sh', ['-c', `command -v ${program}`])
    symlinkSync(stdout, join(folder, program))
  }
  const rig = [join(projectRoot, 'bin/leakrig.ts'), 'scenarios', '--sandbox', 'namespace']
  const { stderr, exitCode } = await execa(process.execPath, rig, { env: { PATH: folder }, reject: false })
  expect(stderr).toMatch(sentence)
  expect(exitCode).toBe(3)
})

/** Sleeps for a number of seconds that is unique, so that the machine's process table shows the process by it. */
function unique(): string {
  return `9${Math.floor(Math.random() * 1e8)}.5`
}

async function machineHas(marker: string): Promise<boolean> {
  return readProcesses().some(({ command }) => command === `sleep ${marker}`)
}

async function goneFromMachine(marker: string): Promise<boolean | undefined> {
  return poll(60_000, async () => !(await machineHas(marker)) || undefined)
}
