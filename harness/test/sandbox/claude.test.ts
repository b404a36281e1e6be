/** @module-tag tools */

import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, describe, expect, vi } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { poll } from '../../poll.ts'
import { startContainerSandbox } from '../../sandbox/container/container.ts'
import { startNamespaceSandbox } from '../../sandbox/namespace.ts'
import type { Sandbox } from '../../sandbox/sandbox.ts'
import { objection } from '../support/container.ts'

needsNamespaces()

const test = base
  .extend('folder', ({}, { onCleanup }): string => {
    const folder = realpathSync(mkdtempSync('/var/tmp/leakrig-test-'))
    onCleanup(() => rmSync(folder, { recursive: true, force: true }))
    chmodSync(folder, 0o755)
    return folder
  })
  .extend('sandbox', async ({}, { onCleanup }): Promise<Sandbox> => {
    const sandbox = await startNamespaceSandbox()
    onCleanup(() => sandbox[Symbol.asyncDispose]())
    return sandbox
  })

const version = /^2\.1\.330 \(Claude Code\)\n$/
const answer = /^Done\.\n$/

/** Starts a sandbox of one kind; skips the test where there can be none. */
async function startKind(kind: string): Promise<Sandbox> {
  if (kind === 'namespace') return startNamespaceSandbox({}, { covers: ['/opt/tools/claude'] })
  needs(objection?.replace(/^no /, '') ?? 'container', objection === undefined)
  return startContainerSandbox({ covers: ['/opt/tools/claude'] })
}

describe.for(['namespace', 'container'])('in the %s sandbox', kind => {
  const test = base.extend('sandbox', async ({}, { onCleanup }): Promise<Sandbox> => {
    const sandbox = await startKind(kind)
    onCleanup(() => sandbox[Symbol.asyncDispose]())
    return sandbox
  })

  test.for([
    ['the PATH of the sandbox', 'claude -p hello', answer],
    ['a login shell in an empty environment', 'env -i bash -lc "claude -p hello"', answer],
    ['a PATH without the wrappers', 'env -i PATH=/usr/bin:/bin claude -p hello', answer],
    ['no PATH at all', 'env -i bash -c "unset PATH; /usr/local/bin/claude -p hello"', answer],
    ['an installer’s place', 'env -i /tmp/home/.local/bin/claude -p hello', answer],
    ['another installer’s place', '~/.claude/local/claude -p hello', answer],
    ['a Node script', 'node "$(command -v claude)" --version', version],
    ['npx', 'npx -y @anthropic-ai/claude-code -p hello', answer],
    [
      'npx, a version, a login shell',
      'env -i bash -lc "npx @anthropic-ai/claude-code@2.0.1 --version"',
      version,
    ],
    ['npx, a package and its program', 'npx --yes -p @anthropic-ai/claude-code claude --version', version],
  ] as [string, string, RegExp][])(
    'the fake claude is found by %s',
    async ([, script, expected], { sandbox }) => {
      const { stdout, stderr } = await sandbox.probe.run(['bash', '-c', script])
      expect(stderr).toBe('')
      expect(stdout).toMatch(expected)
    },
  )

  test('it lies below /tmp by none of its names, and its home is that of passwd', async ({ sandbox }) => {
    const script =
      'for one in $(type -ap claude) ~/.local/bin/claude ~/.claude/local/claude; do readlink -f $one; done'
    const { stdout } = await sandbox.probe.run(['bash', '-c', script])
    expect(stdout.trim().split('\n').length).toBeGreaterThanOrEqual(5)
    expect(stdout).not.toMatch(/^\/tmp/m)
    await sandbox.probe.run(['env', '-i', 'claude', '-p', 'hello'])
    expect(await sandbox.probe.read('/tmp/home/.claude.json')).toContain('numStartups')
  })

  test('a claude that was named is covered', async ({ sandbox }) => {
    expect((await sandbox.probe.run(['/opt/tools/claude', '-p', 'hello'])).stdout).toMatch(answer)
  })
})

test('every other call of npx reaches the real one', async ({ sandbox }) => {
  const { stdout } = await sandbox.probe.run([
    'sh',
    '-c',
    'npm --version; npx --version; env -i bash -lc "npx --version"',
  ])
  const [npm, ...npx] = stdout.trim().split('\n')
  expect(npx).toEqual([npm, npm])
  const { stderr } = await sandbox.probe.run(['npx', '--offline', '--yes', '@anthropic-ai/claude-code-not'])
  expect(stderr).toContain('npm error')
})

test('orders are claimed without any environment, and the journal names the path and the pane', async ({
  sandbox,
}) => {
  const { probe } = sandbox
  const [orders, journal] = ['/tmp/leakrig/orders', '/tmp/leakrig/journal']
  await probe.write(`${orders}/1`, `[[fake-claude persona=exits bash=0 journal=${journal}]]`)
  const pane = [
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    '-P',
    '-F',
    '#{pane_id}',
    'env -i TMUX_PANE=$TMUX_PANE bash -lc "claude -p hello"',
  ]
  const { stdout } = await probe.run(['tmux', ...pane])
  const text = await poll(20_000, async () => {
    const now = await probe.read(journal)
    return now?.includes('"ended"') ? now : undefined
  })
  expect(JSON.parse(text?.split('\n')[0] ?? '{}')).toMatchObject({
    what: 'started',
    persona: 'exits',
    directive: `${orders}/1`,
    path: '/usr/local/bin/claude',
    TMUX_PANE: stdout.trim(),
  })
})

test('npx is claude’s grandparent, and its TERM does not reach claude', async ({ sandbox }) => {
  const { probe } = sandbox
  const script = `npx @anthropic-ai/claude-code -p '[[fake-claude persona=works bash=0 journal=/tmp/j]]'`
  const npx = await probe.plant(['sh', '-c', `exec ${script}`])
  const started = await poll(20_000, async () => /"pid":(\d+)/.exec((await probe.read('/tmp/j')) ?? '')?.[1])
  const tree = `ps -o ppid= -o comm= -p ${started}; ps -o ppid= -o args= -p $(ps -o ppid= -p ${started})`
  const { stdout } = await probe.run(['sh', '-c', tree])
  expect(stdout).toMatch(/^\s*\d+ claude\n\s*(\d+) .*sh -c 'claude' '-p'/)
  expect(stdout).toContain(`${npx.pid} `)
  expect((await probe.run(['ps', '-o', 'args=', '-p', String(npx.pid)])).stdout).toMatch(
    /^npm exec @anthropic-ai/,
  )
  await probe.signal(npx, 'SIGTERM')
  const gone = async () =>
    (await probe.run(['ps', '-o', 'pid=', '-p', String(npx.pid)])).code !== 0 || undefined
  expect(await poll(20_000, gone)).toBe(true)
  expect((await probe.run(['ps', '-o', 'comm=', '-p', String(started)])).stdout).toBe('claude\n')
})

test('a claude that is mounted or named is covered, and a wrong name is refused', async ({
  folder,
  onTestFinished,
}) => {
  onTestFinished(() => void vi.unstubAllEnvs())
  mkdirSync(join(folder, 'bin'))
  const real = join(folder, 'bin/claude')
  writeFileSync(real, '#!/bin/sh\necho the real one\n', { mode: 0o755 })
  const covers = [real, '/opt/tools/claude']
  await using sandbox = await startNamespaceSandbox({}, { mounts: [folder], covers })
  for (const path of covers) expect((await sandbox.probe.run([path, '-p', 'hello'])).stdout).toMatch(answer)
  await using without = await startNamespaceSandbox({}, { mounts: [folder] })
  expect((await without.probe.run([real])).stdout).toBe('the real one\n')
  vi.stubEnv('PATH', `${folder}/bin:${process.env.PATH}`)
  await using found = await startNamespaceSandbox({}, { mounts: [folder] })
  expect((await found.probe.run([real, '-p', 'hello'])).stdout).toMatch(answer)
  for (const wrong of ['bin/claude', '/tmp/bin/claude'])
    await expect(startNamespaceSandbox({}, { covers: [wrong] })).rejects.toThrow(
      `"${wrong}" cannot be covered`,
    )
})
