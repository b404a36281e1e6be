/** @module-tag tools */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { test as base, expect } from 'vitest'
import { which } from 'zx'
import { projectRoot } from '../../../bin/programs.ts'
import { needs } from '../../../test/needs.ts'
import { poll } from '../../poll.ts'
import type { Dockerode } from '../../sandbox/container/build.ts'
import { ensureImage } from '../../sandbox/container/image.ts'
import { removeOldImages } from '../../sandbox/container/own-images.ts'
import { engine, objection } from '../support/container.ts'
import { listenFor, type OwnEngine, startEngine } from '../support/own-engine.ts'

needs('container engine with an image for the sandbox', objection === undefined)
needs('dockerd on the PATH', (await which('dockerd', { nothrow: true })) !== null)
needs('root rights', process.getuid?.() === 0)

interface Remote extends OwnEngine {
  /** The engine's own folder. */
  places: string
  /** A folder of this machine that the engine does not see. */
  folder: string
  /** Runs a shell script in a container of it, and returns its output. */
  ask: (script: string, ...options: string[]) => Promise<string>
  images: () => Promise<string[]>
}

/** An engine at a port, as one on another machine: it sees neither the project nor what is mounted. */
const test = base.extend('remote', { scope: 'file' }, async ({}, { onCleanup }): Promise<Remote> => {
  const places = mkdtempSync('/var/tmp/leakrig-engine-')
  const folder = mkdtempSync('/var/tmp/leakrig-test-')
  const remote = await startEngine(places, [projectRoot, homedir(), folder])
  const { host, close } = await listenFor(remote.socket)
  onCleanup(async () => {
    close()
    await remote.stop()
    for (const made of [places, folder]) rmSync(made, { recursive: true })
  })
  if (engine) await remote.load(await ensureImage(engine))
  const fixture = join(import.meta.dirname, '../fixtures/ask-sandbox.ts')
  const env = { ...remote.env, DOCKER_HOST: host }
  return {
    ...remote,
    env,
    places,
    folder,
    async ask(script, ...options) {
      const args = [fixture, '--container', ...options, script]
      return (await execa(process.execPath, args, { env })).stdout
    },
    images: async () =>
      (await remote.docker('images', '--quiet', 'leakrig-run')).stdout.split('\n').filter(Boolean),
  }
})

test('an engine that sees no file of ours runs the four scenarios', { timeout: 300_000 }, async ({
  remote,
}) => {
  const program = join(projectRoot, 'bin/leakrig.ts')
  const args = [program, 'scenarios', '--sandbox', 'container', '1-', '2-', '3-', '4-']
  const { exitCode, stdout } = await execa(process.execPath, args, { env: remote.env, reject: false })
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^7 pass;/m) })
  // It was that engine, and it does not see the project.
  expect(await remote.images()).toHaveLength(1)
  const [image = ''] = await remote.images()
  const shown = [
    'run',
    '--rm',
    '--volume',
    `${projectRoot}:/project`,
    '--entrypoint',
    'ls',
    image,
    '-A',
    '/project',
  ]
  expect((await remote.docker(...shown)).stdout).toBe('')
})

test('what is mounted is there as it is here, readable for all', async ({ remote }) => {
  const { folder, ask } = remote
  const names = [
    'with space',
    'a:b',
    'a,b',
    'new\nline',
    'ends\n',
    'back\\040slash',
    '-n',
    'ü#$(id)',
    'x'.repeat(200),
  ]
  const mounted = join(folder, 'mounted')
  for (const name of names) {
    mkdirSync(join(mounted, name), { recursive: true, mode: 0o700 })
    writeFileSync(join(mounted, name, 'file'), 'content\n', { mode: 0o600 })
  }
  writeFileSync(join(mounted, 'program'), '#!/bin/sh\necho runs\n', { mode: 0o700 })
  symlinkSync('program', join(mounted, 'link'))
  symlinkSync(mounted, join(folder, 'named'))
  writeFileSync(join(folder, 'beside'), '')
  const count = 'for one in *; do [ -d "$one" ] && cat "./$one/file"; done | grep -c content'
  const script = `cd ${folder}/named && pwd -P && ./link && ${count}; ls ${folder}; touch x || echo read-only; id -u; stat -c %a /var/tmp`
  const lines = [mounted, 'runs', String(names.length), 'mounted', 'named', 'read-only', '1000', '1777']
  expect((await ask(script, `--mount=${join(folder, 'named')}`)).split('\n')).toEqual(lines)
})

test('a changed file makes a new image, an unchanged one none, and old ones are removed', async ({
  remote,
}) => {
  const { folder, ask, images, docker, socket } = remote
  const file = join(folder, 'file')
  const read = () => ask(`cat ${file}`, `--mount=${file}`)
  writeFileSync(file, 'one')
  const before = (await images()).length
  expect([await read(), await read()]).toEqual(['one', 'one'])
  expect(await images()).toHaveLength(before + 1)
  writeFileSync(file, 'two')
  expect(await read()).toBe('two')
  const all = await images()
  expect(all).toHaveLength(before + 2)

  // The one that a container runs from stays.
  const hold = ['run', '--detach', '--rm', '--net=none', '--entrypoint', 'sleep', all[0] ?? '', '60']
  const { stdout: container } = await docker(...hold)
  const dockerode = Reflect.construct(Object(engine?.container.dockerode).constructor, [
    { socketPath: socket },
  ]) as Dockerode
  const hourMs = 3_600_000
  await removeOldImages(dockerode)
  expect(await images()).toHaveLength(before + 2)
  await removeOldImages(dockerode, Date.now() + 2 * hourMs)
  expect(await images()).toEqual([all[0]])
  expect((await docker('images', '--quiet', 'leakrig-sandbox')).stdout).not.toBe('')
  await docker('kill', container)
})

test('two rigs that start at once with different files do not disturb each other', async ({ remote }) => {
  const { folder, ask } = remote
  const answers = await Promise.all(
    ['a', 'b', 'b', 'c'].map(async (name, number) => {
      const file = join(folder, name)
      if (number !== 2) writeFileSync(file, name)
      return ask(`cat ${file}`, `--mount=${file}`)
    }),
  )
  expect(answers).toEqual(['a', 'b', 'b', 'c'])
})

test('a rig that is killed while it copies leaves nothing', async ({ remote }) => {
  const { folder, env, docker } = remote
  const big = join(folder, 'big')
  writeFileSync(big, Buffer.alloc(300 << 20))
  const list = async () => (await docker('images', '--all', '--quiet')).stdout.split('\n').sort()
  await remote.ask('true')
  const before = await list()
  const fixture = join(import.meta.dirname, '../fixtures/ask-sandbox.ts')
  const rig = execa(process.execPath, [fixture, '--container', `--mount=${big}`, 'true'], {
    env,
    reject: false,
  })
  const folders = async () =>
    (await execa('find', [`${remote.places}/data-root/tmp`, '-size', '+100M'])).stdout
  expect(await poll(60_000, async () => (await folders()) !== '' || undefined)).toBe(true)
  rig.kill('SIGKILL')
  await rig
  expect(await poll(60_000, async () => (await folders()) === '' || undefined)).toBe(true)
  expect(await list()).toEqual(before)
  expect((await docker('ps', '--all', '--quiet')).stdout).toBe('')
})
