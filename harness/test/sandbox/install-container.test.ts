/** @module-tag tools */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { test as base, expect, vi } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { poll } from '../../poll.ts'
import { chooseSandbox, startSandbox } from '../../sandbox/start.ts'
import { engine, objection } from '../support/container.ts'

needs('container engine with an image for the sandbox', objection === undefined)

/** A folder of this test, with the locks of installs in it. Its name makes the steps below unique. */
const test = base.extend('folder', ({}, { onCleanup }): string => {
  const folder = mkdtempSync('/var/tmp/leakrig-test-')
  vi.stubEnv('XDG_CACHE_HOME', folder)
  onCleanup(async () => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true, force: true })
    // Not those of other tests and rigs.
    const made = (await images()).filter(({ createdBy }) => createdBy.includes(folder))
    for (const { id } of made) {
      const { stdout } = await execa('docker', [
        'images',
        '--quiet',
        '--filter',
        `since=${id}`,
        '--filter',
        'label=leakrig.image=run',
      ])
      for (const one of stdout.split('\n').filter(Boolean))
        await execa('docker', ['rmi', one], { reject: false })
      await execa('docker', ['rmi', id], { reject: false })
    }
  })
  return folder
})

/** The images that install steps have made, each with the command. */
async function images(): Promise<{ id: string; createdBy: string }[]> {
  const { stdout } = await execa('docker', ['images', '--quiet', 'leakrig-install'])
  const ids = stdout.split('\n').filter(Boolean)
  return Promise.all(
    ids.map(async id => {
      const history = await engine?.container.dockerode.getImage(id).history()
      return { id, createdBy: JSON.stringify(history) }
    }),
  )
}

const ofFolder = async (folder: string) =>
  (await images()).filter(({ createdBy }) => createdBy.includes(folder))

test('the step runs as root in the image, once, with its inputs and nothing else', async ({ folder }) => {
  mkdirSync(join(folder, 'input'))
  writeFileSync(join(folder, 'input/file'), 'content\n', { mode: 0o600 })
  writeFileSync(join(folder, 'beside'), '')
  const install = {
    run: `id -u >$LEAKRIG_INSTALL/user; pwd >$LEAKRIG_INSTALL/where; ls >$LEAKRIG_INSTALL/seen; cp input/file "$LEAKRIG_INSTALL/it's"; touch /etc/changed; date +%N >$LEAKRIG_INSTALL/time`,
    inputs: [join(folder, 'input')],
    cwd: folder,
  }
  const look = async (step = install) => {
    await using sandbox = await startSandbox('container', {}, { install: step })
    const script = `cd $LEAKRIG_INSTALL && pwd && cat user where seen "it's" && ls /etc/changed; id -u; touch x 2>/dev/null || echo read-only; cat time`
    expect(sandbox.install).toBe('/opt/leakrig/install')
    return (await sandbox.probe.run(['sh', '-c', script])).stdout.trim().split('\n')
  }
  const first = await look()
  expect(first.slice(0, -1)).toEqual([
    '/opt/leakrig/install',
    '0',
    folder,
    'input',
    'content',
    '/etc/changed',
    '1000',
    'read-only',
  ])
  expect(await look({ ...install })).toEqual(first)
  expect(await ofFolder(folder)).toHaveLength(1)
  writeFileSync(join(folder, 'input/file'), 'changed\n')
  const again = await look({ ...install, inputs: [...install.inputs] })
  expect(again.at(4)).toBe('content')
  // A process keeps what it has seen; another one sees the change.
  const { stdout } = await execa(process.execPath, [
    ...['--input-type=module', '--eval'],
    `const { startSandbox } = await import(${JSON.stringify(join(import.meta.dirname, '../../sandbox/start.ts'))})
     await using sandbox = await startSandbox('container', {}, { install: ${JSON.stringify(install)} })
     console.log((await sandbox.probe.run(['sh', '-c', 'cat $LEAKRIG_INSTALL/it*'])).stdout.trim())`,
  ])
  expect(stdout).toBe('changed')
  expect(await ofFolder(folder)).toHaveLength(2)
})

test('a step that fails is one sentence with the end of its output, and nothing is kept', async ({
  folder,
}) => {
  const run = `echo ${folder}; echo 'first'; echo 'no such package' >&2; exit 7`
  await expect(startSandbox('container', {}, { install: { run } })).rejects.toThrow(
    /^The install step "echo .*" failed \(exit code 7\), and printed: \S+ first no such package: correct it and run again; nothing/,
  )
  expect(await ofFolder(folder)).toEqual([])
  // No other sandbox is tried.
  await expect(chooseSandbox('auto', false, { install: { run } })).rejects.toThrow(/no such package/)
  expect(
    (await execa('docker', ['ps', '--all', '--quiet', '--filter', 'label=leakrig.image=install'])).stdout,
  ).toBe('')
})

test('of several rigs that want it at once, one runs it', async ({ folder }) => {
  const ask = join(import.meta.dirname, '../fixtures/ask-sandbox.ts')
  const option = `--install=sleep 1; echo ${folder} >/dev/null; date +%s%N >$LEAKRIG_INSTALL/time`
  const all = await Promise.all(
    [1, 2, 3].map(() => execa(process.execPath, [ask, '--container', option, 'cat $LEAKRIG_INSTALL/time'])),
  )
  expect(new Set(all.map(({ stdout }) => stdout)).size).toBe(1)
  expect(await ofFolder(folder)).toHaveLength(1)
})

test('a rig that is killed during the step leaves no container and no image', async ({ folder }) => {
  const ask = join(import.meta.dirname, '../fixtures/ask-sandbox.ts')
  const option = `--install=echo ${folder} >/begun; sleep 120`
  const rig = execa(process.execPath, [ask, '--container', option, 'true'], { reject: false })
  const containers = async () => {
    const { stdout } = await execa('docker', ['ps', '--all', '--no-trunc', '--format', '{{.Command}}'])
    return stdout.split('\n').filter(line => line.includes(folder))
  }
  expect(await poll(60_000, async () => (await containers()).length > 0 || undefined)).toBe(true)
  rig.kill('SIGKILL')
  await rig
  expect(await poll(30_000, async () => (await containers()).length === 0 || undefined)).toBe(true)
  expect(await ofFolder(folder)).toEqual([])
})
