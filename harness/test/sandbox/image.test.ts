/** @module-tag tools */

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { poll } from '../../poll.ts'
import { ensureImage } from '../../sandbox/container/image.ts'
import { startNamespaceSandbox } from '../../sandbox/namespace.ts'
import { chooseSandbox, startSandbox } from '../../sandbox/start.ts'
import { engine, objection } from '../support/container.ts'

/** Builds an image above the rig's own, with these lines of a Dockerfile. */
async function build(lines: string[]): Promise<string> {
  if (!engine) throw new Error('no engine')
  const name = `leakrig-test:${randomUUID()}`
  const from = await ensureImage(engine)
  const input = [`FROM ${from}`, 'USER root', ...lines].join('\n')
  onTestFinished(async () => {
    // The rig's image above it has the label, too, and would keep it.
    const { stdout } = await execa('docker', ['images', '--quiet', '--filter', `label=leakrig-test=${name}`])
    for (const id of stdout.split('\n').filter(Boolean)) await execa('docker', ['rmi', id], { reject: false })
    await execa('docker', ['rmi', name], { reject: false })
  })
  await execa('docker', ['build', '--quiet', '--tag', name, '--label', `leakrig-test=${name}`, '-'], {
    input,
  })
  return name
}

describe('an image of somebody else', () => {
  beforeEach(({ skip }) => skip(objection !== undefined, objection))

  test('is used with its PATH and its user, whatever it starts by itself', async () => {
    const image = await build([
      'RUN useradd --uid 1234 --create-home --home-dir /home/worker worker && chmod 700 /home/worker',
      "RUN mkdir -p /opt/own/bin && printf '#!/bin/sh\\necho mine\\n' | tee /opt/own/bin/mine >/opt/own/bin/claude",
      'RUN chmod 755 /opt/own/bin/*',
      'ENV PATH=/opt/own/bin:$PATH NODE_OPTIONS=--require=/nowhere.cjs BASH_ENV=/nowhere ENV=/nowhere OWN=value',
      'HEALTHCHECK --interval=1s CMD sleep 0.9',
      'VOLUME /data /tmp',
      'WORKDIR /data',
      'USER worker',
      'ENTRYPOINT ["false"]',
      'CMD ["false"]',
    ])
    await using sandbox = await startSandbox('container', {}, { image })
    await sandbox.probe.reset()
    const run = async (line: string) => (await sandbox.probe.run(['sh', '-c', line])).stdout.trim()
    expect(
      await run('id -un; mine; echo $OWN; echo $HOME; touch /data/x /etc/x 2>&1 | grep -c Read-only'),
    ).toBe('worker\nmine\nvalue\n/tmp/home\n1')
    expect(await run('command -v claude')).toBe('/opt/leakrig/bin/claude')
    expect(await run('claude --version')).toMatch(/Claude Code/)
    const isChecked = async () => (await sandbox.probe.snapshot()).resources.length > 0 || undefined
    expect(await poll(3_000, isChecked)).toBe(undefined)
    await sandbox.probe.run(['sh', '-c', 'for i in $(seq 50); do (setsid sleep 0.01 &); done'])
    const isEmpty = async () => (await sandbox.probe.snapshot()).resources.length === 0 || undefined
    expect(await poll(5_000, isEmpty)).toBe(true)
    // Process 1 has not a child left.
    expect(await run('cat /proc/1/task/1/children')).toBe('')
  })

  test('with root as its user runs as another', async () => {
    const image = await build(['RUN true'])
    await using sandbox = await startSandbox('container', {}, { image })
    expect((await sandbox.probe.run(['id', '-u'])).stdout).toBe('1000\n')
  })

  const lacking: [string, string, RegExp][] = [
    [
      'tmux',
      'RUN rm $(command -v tmux)',
      /^The rig needs tmux 3.2 or newer in the image leakrig-test:\S+, and found no tmux: install it/,
    ],
    [
      'ps',
      'RUN rm $(command -v ps)',
      /^The rig needs the program ps in the image leakrig-test:\S+, and ps is not there: install/,
    ],
    [
      'bash',
      'RUN rm /bin/bash',
      /^The image leakrig-test:\S+ has no bash, and the rig needs bash, sh and Node 22.22 or newer/,
    ],
    ['node', 'RUN rm $(command -v node)', /^The image leakrig-test:\S+ has no node, and the rig needs/],
    [
      'a new node',
      `RUN printf '#!/bin/sh\\necho 22.21.9\\n' >$(command -v node)`,
      /^The image leakrig-test:\S+ has Node 22.21.9, and/,
    ],
    [
      'another place for files',
      `VOLUME ${projectRoot}`,
      /^The image \S+ declares the volume \/\S+, where the sandbox needs \/.*: build it without/,
    ],
  ]

  test.for(lacking)('without %s is refused in one sentence', async ([, line, sentence]) => {
    const image = await build([line])
    const refused = chooseSandbox('auto', false, { image })
    await expect(refused).rejects.toThrow(sentence)
  })

  test('that does not exist is one sentence and exit 3', async () => {
    const args = ['scenarios', '2-', '--image', 'leakrig-no-such-image:1']
    const { exitCode, stderr } = await leakrig(args)
    expect(stderr).toMatch(
      /^leakrig: The image leakrig-no-such-image:1 is not on the container engine and cannot be pulled \(.+\): build or pull/,
    )
    expect(exitCode).toBe(3)
  })
})

const leakrig = (args: string[]) =>
  execa(process.execPath, [join(projectRoot, 'bin/leakrig.ts'), ...args], { reject: false })

const wrong: [string[], RegExp][] = [
  [['--image', 'a b'], /^leakrig: "a b" is no name of an image: expected one as "docker run" takes it/],
  [['--image', ''], /^leakrig: "" is no name of an image/],
  [['--image', 'a\nRUN b'], /is no name of an image/],
  [
    ['--image', 'mine', '--sandbox', 'namespace'],
    /^leakrig: The namespace sandbox has no image, so "mine" cannot/,
  ],
]

test.for(wrong)('%j is wrong usage', async ([args, sentence]) => {
  const { exitCode, stderr, stdout } = await leakrig(['scenarios', '2-', ...args])
  expect(stderr).toMatch(sentence)
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
})

test('a namespace sandbox refuses an image', async () => {
  await expect(startNamespaceSandbox({}, { image: 'mine' })).rejects.toThrow(
    /The namespace sandbox has no image/,
  )
})
