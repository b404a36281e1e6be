/** @module-tag tools */

import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerInfo } from 'dockerode'
import { execa } from 'execa'
import { test as base, beforeEach, describe, expect, onTestFinished } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { poll } from '../../poll.ts'
import { startContainerSandbox } from '../../sandbox/container/container.ts'
import { removeStaleContainers } from '../../sandbox/container/stale-containers.ts'
import { copyProject } from '../fixtures/project-copy.ts'
import { engine, objection } from '../support/container.ts'
import { readReport } from '../support/published.ts'

const program = join(projectRoot, 'bin/leakrig.ts')

/** The lock file of Testcontainers' own cleanup service, which the first sandbox of a process would make. */
const lockFile = join(tmpdir(), `testcontainers-node-${process.getuid?.()}.lock`)
const lockedAt = statSync(lockFile, { throwIfNoEntry: false })?.mtimeMs

const test = base.extend('sandbox', async ({}, { onCleanup }) => {
  const sandbox = await startContainerSandbox()
  onCleanup(() => sandbox[Symbol.asyncDispose]())
  return sandbox
})

/** The containers of this rig, or of the one with that pid. */
async function containers(pid = process.pid): Promise<ContainerInfo[]> {
  const filters = { label: ['leakrig.rig'] }
  const all = await engine?.container.dockerode.listContainers({ all: true, filters })
  return (all ?? []).filter(({ Labels }) => JSON.parse(Labels['leakrig.rig'] ?? '{}').pid === pid)
}

const none = async (pid?: number) => (await containers(pid)).length === 0 || undefined

describe('the container sandbox', () => {
  beforeEach(({ skip }) => skip(objection !== undefined, objection))

  test('is sealed: no network, no root, no writing outside, no capability', async ({ sandbox }) => {
    const run = async (line: string) => (await sandbox.probe.run(['sh', '-c', line])).stdout.trim()
    expect(await run('ls /sys/class/net')).toBe('lo')
    expect(await run('id -u')).not.toBe('0')
    expect(await run('grep CapEff /proc/self/status')).toMatch(/0000000000000000$/)
    for (const file of [`${projectRoot}/x`, '/etc/x', '/usr/x'])
      expect(await run(`echo x 2>&1 >${file} && echo written`)).not.toContain('written')
  })

  test('shows an empty table before anything is started', async ({ sandbox }) => {
    expect((await sandbox.probe.snapshot()).resources).toEqual([])
    expect(await sandbox.probe.countByPs()).toBe(0)
  })

  test('collects orphans', async ({ sandbox }) => {
    await sandbox.probe.run(['sh', '-c', 'for i in 1 2 3; do (setsid sleep 0.01 &); done'])
    const empty = await poll(
      5_000,
      async () => (await sandbox.probe.snapshot()).resources.length === 0 || undefined,
    )
    expect(empty).toBe(true)
  })

  test('answers many calls over one stream', async ({ sandbox }) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => sandbox.probe.snapshot()))
    expect(answers.every(({ problems }) => problems.length === 0)).toBe(true)
  })

  base('a project below /tmp is there, and so is what is mounted below it', async () => {
    using copy = await copyProject()
    const mounted = join(copy.folder, 'of the user')
    mkdirSync(mounted)
    writeFileSync(join(mounted, 'file'), 'content\n')
    const ask = join(copy.folder, 'harness/test/fixtures/ask-sandbox.ts')
    const script = `cat '${mounted}/file'; touch '${mounted}/x' || echo read-only; grep -o "/[^']*fake-claude/main.mjs" $(command -v claude) | head -n 1`
    const node = join(copy.folder, 'node_modules/.bin/node')
    const { stdout } = await execa(node, [ask, '--container', `--mount=${mounted}`, script])
    const [content, readOnly, claude] = stdout.split('\n')
    expect([content, readOnly]).toEqual(['content', 'read-only'])
    expect(claude).toMatch(
      new RegExp(`^/.leakrig${copy.folder}/node_modules/.cache/leakrig/\\w+/fake-claude/main\\.mjs$`),
    )
  })

  test('what is mounted below /tmp stays when the sandbox is emptied, and is not counted', async () => {
    const folder = mkdtempSync('/tmp/leakrig-test-')
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const mounted = join(folder, 'it')
    writeFileSync(mounted, 'content\n')
    await using sandbox = await startContainerSandbox({ mounts: [mounted] })
    await sandbox.probe.reset()
    expect((await sandbox.probe.snapshot()).resources).toEqual([])
    expect((await sandbox.probe.run(['cat', mounted])).stdout).toBe('content\n')
  })

  base('a path through a link leads to its target, whatever else is mounted', async () => {
    const folder = mkdtempSync('/var/tmp/leakrig-test-')
    onTestFinished(() => rmSync(folder, { recursive: true }))
    for (const name of ['real/target', 'links']) mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, 'real/target/file'), 'content\n')
    symlinkSync('../real', join(folder, 'links/way'))
    const named = join(folder, 'links/way/target')
    for (const mounts of [
      [named],
      [named, join(folder, 'links')],
      [join(folder, 'links/way'), named, folder],
    ]) {
      await using sandbox = await startContainerSandbox({ mounts })
      const { stdout } = await sandbox.probe.run(['sh', '-c', 'cat "$1/file"; readlink -f "$1"', 'sh', named])
      expect(stdout).toBe(`content\n${folder}/real/target\n`)
    }
  })

  base('a removed image is made again', async () => {
    const folder = mkdtempSync('/var/tmp/leakrig-test-')
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const mounts = [folder]
    await using first = await startContainerSandbox({ mounts })
    const [own] = (await containers()).filter(({ Labels }) => Labels['leakrig.image'] === 'run')
    await first[Symbol.asyncDispose]()
    expect(await poll(10_000, () => none())).toBe(true)
    await engine?.container.dockerode.getImage(own?.Image ?? '').remove()
    await using second = await startContainerSandbox({ mounts })
    expect((await second.probe.hello()).node).toMatch(/^v24/)
  })

  base('leaves no container and no lock file when it is closed', async () => {
    const sandbox = await startContainerSandbox()
    expect(await containers()).not.toEqual([])
    await sandbox[Symbol.asyncDispose]()
    expect(await poll(10_000, () => none())).toBe(true)
    expect(statSync(lockFile, { throwIfNoEntry: false })?.mtimeMs).toBe(lockedAt)
  })

  base('a rig that is killed with -9 leaves no container a minute later', async () => {
    const rig = execa(process.execPath, [join(import.meta.dirname, '../fixtures/hold-container.ts')], {
      reject: false,
    })
    await new Promise(resolve => rig.stdout.once('data', resolve))
    expect(await containers(rig.pid)).toHaveLength(1)
    rig.kill('SIGKILL')
    await rig
    expect(await poll(60_000, () => none(rig.pid))).toBe(true)
  })

  base(
    'the next run removes the container of a rig that is gone, and leaves those of others alone',
    async () => {
      await using mine = await startContainerSandbox()
      const [own] = await containers()
      const gone = JSON.stringify({ ...JSON.parse(own?.Labels['leakrig.rig'] ?? '{}'), pid: 2 ** 22 + 1 })
      const left = await engine?.container.dockerode.createContainer({
        Image: own?.Image ?? '',
        Cmd: ['sleep', '1000'],
        HostConfig: { NetworkMode: 'none' },
        Labels: { 'leakrig.rig': gone },
      })
      await left?.start()
      if (engine) await removeStaleContainers(engine)
      // A rig in another worker may be removing it at this moment: then the engine answers that it is being removed.
      const isGone = () =>
        left?.inspect().then(
          () => undefined,
          error => /no such container/i.test(String(error)) || undefined,
        ) ?? Promise.resolve(undefined)
      expect(await poll(10_000, isGone)).toBe(true)
      expect(await containers()).toHaveLength(1)
      expect((await mine.probe.hello()).node).toMatch(/^v24/)
    },
  )

  test('a container that is killed during a call is reported as gone', async ({ sandbox }) => {
    await sandbox.probe.run(['mkfifo', '/tmp/never-written'])
    // A read of the FIFO waits for a writer, so the call stays open until the container is gone.
    const answer = sandbox.probe.read('/tmp/never-written').catch(error => error)
    const [own] = await containers()
    await engine?.container.getById(own?.Id ?? '').kill()
    expect(String(await answer)).toMatch(
      /The sandbox ended: its container (was removed|ended with exit code 137)/,
    )
  })

  test('a full disk is reported as full', async ({ sandbox }) => {
    await sandbox.probe.plant(['dd', 'if=/dev/zero', 'of=/tmp/fill', 'bs=1M'])
    // A new file each time, because an existing one would need no more space.
    let count = 0
    const refused = await poll(60_000, () =>
      sandbox.probe.write(`/tmp/leakrig/x${count++}`, 'x'.repeat(10_000)).then(
        () => undefined,
        error => String(error),
      ),
    )
    expect(refused).toMatch(/no space left/)
  })

  base('an image that can not be built is one sentence and exit 3', async () => {
    const env = { LEAKRIG_BASE_IMAGE: 'leakrig-no-such-image:1' }
    const args = [program, 'scenarios', '--sandbox', 'container']
    const { exitCode, stderr } = await execa(process.execPath, args, { env, reject: false })
    expect(stderr).toMatch(
      /leakrig: The image leakrig-sandbox:\w+ could not be built \(.+\): where no registry/,
    )
    expect(exitCode).toBe(3)
  })

  base('no permission for the socket is one sentence and exit 3', async () => {
    needs('root rights', process.getuid?.() === 0)
    const home = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
    chownSync(home, 65534, 65534)
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath]
    const args = [...nobody, program, 'scenarios', '--sandbox', 'container']
    const { exitCode, stderr } = await execa('setpriv', args, {
      reject: false,
      env: { HOME: home },
    })
    rmSync(home, { recursive: true })
    expect(stderr).toMatch(/No container engine answers \(no permission for .*: join the group docker\)/)
    expect(exitCode).toBe(3)
  })

  base('both sandboxes come to the same verdicts and the same leaks', { timeout: 240_000 }, async () => {
    needsNamespaces()
    const [inContainer, inNamespace] = await Promise.all([leaks('container'), leaks('namespace')])
    expect(Object.keys(inContainer).length).toBeGreaterThan(4)
    expect(inContainer).toEqual(inNamespace)
  })
})

base('without an engine: one sentence and exit 3, and auto takes the namespace sandbox', async () => {
  needs('root rights', process.getuid?.() === 0)
  needsNamespaces()
  // A mount namespace without the engine's socket, because Testcontainers tries all the usual paths.
  const script = 'mount -t tmpfs tmpfs /run && exec "$@"'
  const hidden = (args: string[]) =>
    execa('unshare', ['--mount', 'sh', '-c', script, 'sh', process.execPath, program, ...args], {
      reject: false,
    })
  const asked = await hidden(['scenarios', '--sandbox', 'container'])
  expect(asked.stderr).toMatch(
    /^leakrig: No container engine answers \(no \/var\/run\/docker\.sock\): start one, or use --sandbox namespace\.$/,
  )
  expect(asked.exitCode).toBe(3)
  const auto = await hidden(['scenarios', '1-', '-t', 'leaves by itself'])
  expect(auto.stdout).toMatch(/sandbox namespace \(No container engine answers/)
})

/** What the system as found leaks, by scenario, without details that differ from run to run. */
async function leaks(sandbox: 'container' | 'namespace'): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  const json = join(folder, 'report.json')
  const args = [
    program,
    'scenarios',
    '1-',
    '2-',
    '3-',
    '--system',
    'none',
    '--sandbox',
    sandbox,
    '--json',
    json,
  ]
  await execa(process.execPath, args, { reject: false })
  const report = readReport(json)
  rmSync(folder, { recursive: true })
  // Both runs copy the files of failed scenarios to the same folders.
  for (const { kept } of report.scenarios)
    if (kept) onTestFinished(() => rmSync(kept, { recursive: true, force: true }))
  return Object.fromEntries(
    report.scenarios.map(({ name, verdict, verdicts, errors }: Scenario) => {
      const named = (findings: Finding[]) =>
        findings.map(({ kind, what }) => `${kind} ${withoutNumbers(what)}`).sort()
      const leaked = named(verdicts.flatMap(one => one.leaks))
      const collateral = named(verdicts.flatMap(one => one.collateral))
      // Why nothing was measured, so that a difference shows it.
      const why = verdict === 'inconclusive' ? { errors } : {}
      return [name, { verdict, leaks: leaked, collateral, ...why }]
    }),
  )
}

interface Scenario {
  name: string
  verdict: string
  verdicts: { leaks: Finding[]; collateral: Finding[] }[]
  errors: string[]
}

interface Finding {
  kind: string
  what: string
}

function withoutNumbers(what: string): string {
  return (
    what
      .replaceAll(/worker-\d+-[0-9a-f]+/g, '<agent>')
      .replace(/^(\S+ \(\d+\)), .*/, '$1') // for a process only its name, because its command line has paths of the machine
      .replaceAll(/\b[0-9a-f]{6,}\b/g, '<n>')
      .replaceAll(/[0-9a-f.]*\d[0-9a-f.]*/g, '<n>')
      // It may be killed before its first report arrives.
      .replace(
        / is (running|working), but no process or session of it is left$/,
        ' is <live>, but it does not live',
      )
  )
}
