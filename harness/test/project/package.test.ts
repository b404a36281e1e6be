/** @module-tag long */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { execa } from 'execa'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { specifiersIn } from '../../../bin/check-imports.ts'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { environment, type Packed, pack } from '../fixtures/packed.ts'
import { readReport } from '../support/published.ts'

/** Packing and installing, on a busy machine, ms. */
const slow = 600_000

let packed: Packed
beforeAll(async () => {
  packed = await pack()
}, slow)
afterAll(() => packed?.[Symbol.dispose]())

describe('the tarball', () => {
  test('has these folders, and no test, no source and no secret', () => {
    const [pages, others] = [true, false].map(isPage =>
      packed.files.filter(path => path.startsWith('docs/') === isPage),
    )
    expect(pages).toEqual(expect.arrayContaining(['docs/systems.md', 'docs/operators.md']))
    expect(pages?.filter(path => !/^docs\/[\w-]+\.(md|svg|png)$/.test(path))).toEqual([])
    const tops = new Set(others?.map(path => path.split('/').slice(0, 2).join('/')))
    expect([...tops].toSorted()).toEqual(
      [
        ...[
          'LICENSE',
          'README.md',
          ...['known', 'report', 'timelines'].map(name => `schemas/${name}.schema.json`),
          'bin/leakrig.cjs',
          'bin/requirements.cjs',
          'package.json',
        ],
        ...['Dockerfile', 'bin', 'cleanup', 'harness', 'package.json', 'programs', 'scenarios'].map(
          name => `dist/${name}`,
        ),
      ].toSorted(),
    )
    const scenario = /^dist\/scenarios\/(catalogue\/\d-|reproduce\/|soak\/|\d-)[\w-]+\.test\.js$/
    const unwanted = [
      /\.test\./,
      /\/(test|bench|node_modules)\//,
      /(?<!\.d)\.ts$/,
      /\.map$/,
      /\.env|\.npmrc|\.pem$|secret/,
    ]
    const found = packed.files.filter(
      path => !scenario.test(path) && unwanted.some(pattern => pattern.test(path)),
    )
    expect(found).toEqual([])
    expect(packed.files.filter(path => scenario.test(path))).toHaveLength(17)
  })

  test('has every program with its scripts, and what a container is built of', () => {
    const programs = [
      'probe',
      'module-host',
      'orchestrator',
      'daemon',
      'hand-over',
      'cleanup-commands',
      'fake-claude/main',
      'fake-claude/claude',
    ]
    for (const name of programs)
      expect(packed.files.filter(path => path.startsWith(`dist/programs/${name}`))).not.toEqual([])
    expect(packed.files).toEqual(
      expect.arrayContaining([
        ...['dist/programs/report-page.js', 'dist/programs/report-page.css'],
        ...['dist/programs/native/linux-x64.node', 'dist/programs/fake-claude/idle/idle.sh'],
        ...['dist/harness/sandbox/namespace-init.sh', 'dist/harness/sandbox/container/hold.sh'],
      ]),
    )
  })

  test('has pages whose links lead somewhere', () => {
    const pages = packed.files.filter(path => path.endsWith('.md'))
    const dead = pages.flatMap(page =>
      [...readFileSync(join(packed.contents, page), 'utf8').matchAll(/\]\(([^()\s#]+)/g)].flatMap(
        ([, target = '']) =>
          /^[a-z]+:/.test(target) || existsSync(join(packed.contents, dirname(page), target))
            ? []
            : `${page}: ${target}`,
      ),
    )
    expect(pages.length).toBeGreaterThan(10)
    expect(dead).toEqual([])
  })

  test('is all that packing leaves in the clone', () => {
    expect(readdirSync(join(packed.folder, 'clone'))).not.toContain('dist')
  })

  test('passes on the licences of what is in its bundles, those of the page too', () => {
    const file = join(packed.contents, 'dist/programs/LICENSES.txt')
    const names = readFileSync(file, 'utf8').match(/^[\w@/-]+(?= \d\S* \()/gm)
    expect(names).toEqual(expect.arrayContaining(['birpc', 'preact', 'uplot']))
  })

  test('is small', () => {
    const { files, packedBytes, unpackedBytes } = packed
    console.log(`${files.length} files, ${packedBytes} bytes packed, ${unpackedBytes} unpacked`)
    expect(packedBytes).toBeLessThan(2.5e6)
    expect(unpackedBytes).toBeLessThan(10e6)
  })

  test('depends on what its modules import, and on nothing else', () => {
    const modules = packed.files.filter(path => path.endsWith('.js'))
    const imported = modules.flatMap(path => {
      const text = readFileSync(join(packed.contents, path), 'utf8')
      return specifiersIn(text, 'js')
    })
    const packages = imported
      .filter(name => !name.startsWith('.') && !name.startsWith('node:'))
      .map(name => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0])
    const { dependencies, peerDependencies, optionalDependencies = {} } = packed.manifest
    expect([...new Set(packages)].toSorted()).toEqual(
      Object.keys({ ...dependencies, ...peerDependencies }).toSorted(),
    )
    // A Node is for the clone alone.
    expect(optionalDependencies).toEqual({})
  })

  test('publint finds nothing', async () => {
    const tarball = new Uint8Array(readFileSync(packed.tarball)).buffer
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true, level: 'suggestion' })
    expect(messages.map(message => formatMessage(message, pkg))).toEqual([])
  })

  test(
    'every entry has its types, for a program that uses ES modules',
    async () => {
      const tarball = new Uint8Array(readFileSync(packed.tarball))
      const analysis = await checkPackage(createPackageFromTarballData(tarball))
      if (!analysis.types) throw new Error('no types were found')
      // The package is for ES modules, so old resolutions do not count.
      const old = (problem: object) =>
        'resolutionKind' in problem && ['node10', 'node16-cjs'].includes(String(problem.resolutionKind))
      expect(analysis.problems.filter(problem => !old(problem))).toEqual([])
      expect(Object.keys(analysis.entrypoints).toSorted()).toEqual([
        './cleanup',
        './config',
        './package.json',
        './test',
      ])
    },
    slow,
  )
})

/** The test file in the README's section on installing. */
const readmeTest = /```ts\n(\/\/ test\/cleanup\.test\.ts\n.*?)```/s.exec(
  readFileSync(join(projectRoot, 'README.md'), 'utf8'),
)?.[1]

/** The first configuration of the README. */
const readmeConfig = /```ts\n(\/\/ examples\/shell\/leakrig\.config\.ts\n.*?)```/s.exec(
  readFileSync(join(projectRoot, 'README.md'), 'utf8'),
)?.[1]

const ownTest = `
import { expect, test } from 'leakrig/test'

test('a kill', async ({ rig, bystanders }) => {
  await bystanders.tmuxSession('my-work')
  const agent = await rig.deploy({ persona: 'works' })
  await agent.isKilled()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toBeRegisteredAs('terminated')
})
`

const ownConfig = `
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { provide: { leakrig: { sandbox: 'namespace' } } } })
`

const ownModule = `
import { type AgentRef, CleanupError, cleanUp, type CleanUpReport } from 'leakrig/cleanup'
import { defineSystem } from 'leakrig/config'
import { type Agent, expect, test } from 'leakrig/test'

export async function clean(agent: AgentRef): Promise<CleanUpReport | string> {
  return cleanUp(agent, { status: 'terminated', reason: 'mine' }).catch((error: unknown) => (error instanceof CleanupError ? error.code : 'unknown'))
}

export const system = defineSystem({ name: 'mine', deploy: ({ prompt }) => ({ id: prompt }), kill: { run: 'stop {id}' } })
// @ts-expect-error a system without a deploy is none
defineSystem({ name: 'mine' })

test('types', async ({ rig }) => {
  const agent: Agent = await rig.deploy({ persona: 'works', type: 'worker' })
  await expect(rig).toReturnToBaseline(agent)
  // @ts-expect-error the rig's inside is not offered
  rig.probe
})
`

/** The package takes every Node from 22.22 on. */
const oldNode = '22.22.3'

describe('installed into an empty project', () => {
  let project = ''
  const nodes: Record<string, string | undefined> = { '24': process.execPath }

  beforeAll(async () => {
    project = join(packed.folder, 'project')
    mkdirSync(join(project, 'test'), { recursive: true })
    writeFileSync(join(project, 'package.json'), '{ "name": "mine", "type": "module" }\n')
    writeFileSync(join(project, 'vitest.config.ts'), ownConfig)
    writeFileSync(join(project, 'own.ts'), ownModule)
    writeFileSync(join(project, 'test/own.test.ts'), ownTest)
    writeFileSync(join(project, 'test/cleanup.test.ts'), readmeTest ?? '')
    const other = join(packed.folder, 'node')
    mkdirSync(other)
    writeFileSync(join(other, 'package.json'), '{}\n')
    const arch = process.arch === 'arm64' ? 'arm64' : 'x64'
    const gettingNode = npm(other, `node-linux-${arch}@${oldNode}`).catch(() => {})
    await npm(project, packed.tarball)
    await gettingNode
    const binary = join(other, `node_modules/node-linux-${arch}/bin/node`)
    if (existsSync(binary)) nodes[oldNode] = binary
  }, slow)

  /** Takes what npm has in its cache, and the rest from its registry. */
  const npm = (folder: string, what: string) =>
    execa('npm', ['install', '--save-dev', '--prefer-offline', '--no-audit', '--no-fund', what], {
      cwd: folder,
      env: environment(process.execPath),
      extendEnv: false,
    })

  const run = (node: string | undefined, command: string, ...args: string[]) =>
    runIn(project, node, command, ...args)

  const runIn = (folder: string, node: string | undefined, command: string, ...args: string[]) =>
    execa('npx', [command, ...args], {
      cwd: folder,
      env: environment(node ?? ''),
      extendEnv: false,
      reject: false,
      all: true,
    })

  test('brings no Node, and nothing but what it depends on', () => {
    const names = readdirSync(join(project, 'node_modules'))
    expect(names.filter(name => name.startsWith('node-linux'))).toEqual([])
    expect(names).not.toContain('typescript')
  })

  test(
    'its types are found and fit',
    async () => {
      for (const name of ['@types/node', 'undici-types'])
        cpSync(join(projectRoot, 'node_modules', name), join(project, 'node_modules', name), {
          recursive: true,
        })
      const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] }
      const config = { compilerOptions: options, include: ['*.ts', 'test'] }
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
      const tsc = join(projectRoot, 'node_modules/.bin/tsc')
      const { stdout } = await execa(tsc, ['-p', project], { reject: false })
      expect(stdout).toBe('')
    },
    slow,
  )

  describe.each(['24', oldNode])('with Node %s', version => {
    /** With the oldest Node the commands answer and a scenario runs; the rest is for the night. */
    const mostly = version === oldNode ? { timeout: slow, tags: ['nightly'] } : { timeout: slow }

    const node = () => {
      needs(`Node ${version} from npm's registry`, nodes[version] !== undefined)
      return nodes[version]
    }

    test(
      'the commands answer',
      async () => {
        const { stdout: number } = await run(node(), 'leakrig', '--version')
        expect(number).toBe(packed.manifest.version)
        const { stdout: help } = await run(node(), 'leakrig', '--help')
        for (const command of ['scenarios', 'catalogue', 'sweep', 'daemon']) expect(help).toContain(command)
        const { stdout: list } = await run(node(), 'leakrig', 'scenarios', '--list')
        expect(list.match(/^\S+/gm)).toHaveLength(4)
        const sweep = await run(node(), 'leakrig', 'sweep', 'nowhere')
        expect(sweep.all).toMatch(/nowhere/)
        expect(sweep.exitCode).not.toBe(0)
        const wrong = await run(node(), 'leakrig', 'scenarios', '--nonsense')
        expect(wrong.all).toContain('see npx leakrig scenarios --help')
        expect(wrong.exitCode).toBe(2)
      },
      slow,
    )

    test(
      'a scenario and a cell of the catalogue run, and leave their report and nothing else',
      async () => {
        needsNamespaces()
        const before = readdirSync(project)
        const options = ['--sandbox', 'namespace', '--json', 'report.json']
        const folder = ['--report', 'run']
        const { all, exitCode } = await run(node(), 'leakrig', 'scenarios', 'normal', ...options, ...folder)
        expect(all).toContain('2 pass')
        expect(exitCode).toBe(0)
        const { scenarios } = readReport(join(project, 'report.json'))
        expect(scenarios).toHaveLength(2)
        const page = join(project, 'run/index.html')
        expect(readFileSync(page, 'utf8')).toContain('normal completion')
        expect((await run(node(), 'leakrig', 'report', 'open', 'run')).all).toContain(page)
        const compiled = readdirSync(join(project, 'node_modules/leakrig/dist/programs/compiled'))
        expect(compiled.some(name => name.startsWith(`done-v${version}`))).toBe(true)
        const cell = await run(node(), 'leakrig', 'catalogue', 'plain × killed', ...options)
        expect(cell.all).toContain('1 pass')
        const written = ['report.json', 'run']
        expect(readdirSync(project).toSorted()).toEqual([...new Set([...before, ...written])].toSorted())
      },
      slow,
    )

    test(
      'a soak, the shards of a catalogue with their merge, and a reproduction work, and write what they are asked for',
      mostly,
      async () => {
        needsNamespaces()
        const outputs = (name: string) => [
          '--report',
          name,
          '--junit',
          `${name}.xml`,
          '--json',
          `${name}.json`,
        ]
        const leakrig = (...args: string[]) => run(node(), 'leakrig', ...args)
        const soakArgs = ['--repeat', '1', '--agents', '1', '--sandbox', 'namespace']
        const soak = await leakrig('soak', ...soakArgs, ...outputs('out/soak'))
        expect(soak.all).toContain('1 round of 1 agent')
        expect(soak.exitCode).toBe(3)
        const cells = ['plain × killed', 'stopped × killed', '--sandbox', 'namespace']
        for (const index of [1, 2]) {
          const shard = ['--shard', `${index}/2`, ...outputs(`out/shard-${index}`)]
          expect((await leakrig('catalogue', ...cells, ...shard)).exitCode).toBe(0)
        }
        const merge = ['report', 'merge', 'out/shard-1', 'out/shard-2', ...outputs('out/whole')]
        expect(await leakrig(...merge)).toMatchObject({ exitCode: 0 })
        for (const name of ['soak', 'shard-1', 'whole']) {
          const { run } = readReport(join(project, 'out', `${name}.json`))
          expect(run.command).toBe(name === 'soak' ? 'soak' : 'catalogue')
          expect(readFileSync(join(project, 'out', `${name}.xml`), 'utf8')).toContain('<testcase')
          expect((await leakrig('report', 'open', `out/${name}`)).all).toContain(`out/${name}/index.html`)
        }
        const then = ['--then', 'exit 7', '--sandbox', 'namespace']
        const shown = await leakrig('reproduce', 'own-session', ...then)
        expect(shown.exitCode, shown.all).toBe(7)
        rmSync(join(project, 'out'), { recursive: true })
      },
    )

    test('an idle claude is named claude, though npm packs no links', mostly, async () => {
      const home = mkdtempSync(join(packed.folder, 'home-'))
      const journal = join(home, 'journal')
      const program = join(project, 'node_modules/leakrig/dist/programs/fake-claude/claude')
      const prompt = `agent_id: a-1 [[fake-claude persona=idles journal=${journal}]]`
      const flags = [
        '--print',
        '--output-format',
        'stream-json',
        '--verbose',
        '--dangerously-skip-permissions',
      ]
      const env = { ...environment(node() ?? ''), HOME: home, CLAUDE_CODE_TMPDIR: home, IS_SANDBOX: '1' }
      const claude = execa(program, [...flags, prompt], { env, extendEnv: false, reject: false, cwd: home })
      try {
        const read = () => (existsSync(journal) ? readFileSync(journal, 'utf8') : '')
        await vi.waitFor(() => expect(read()).toContain('"idle"'), 60_000)
        const exe = () => readlinkSync(`/proc/${claude.pid}/exe`)
        await vi.waitFor(() => expect(exe()).not.toMatch(/node$/), 10_000)
        expect(readFileSync(`/proc/${claude.pid}/comm`, 'utf8')).toMatch(/^claude(-sh)?\n$/)
      } finally {
        claude.kill('SIGTERM')
        await claude
      }
    })

    test('what leaks is found, and its files are copied to the current folder', mostly, async () => {
      needsNamespaces()
      const options = ['--system', 'none', '--sandbox', 'namespace']
      const { all, exitCode } = await run(node(), 'leakrig', 'scenarios', 'kill', ...options)
      expect(all).toMatch(/leaked/)
      expect(exitCode).toBe(1)
      expect(readdirSync(join(project, '.leakrig'))).toContain('manual-kill-in-the-middle-of-the-work')
    })

    test(
      'somebody’s own orchestrator gets a verdict, by the README’s configuration and a scenario that init writes',
      mostly,
      async () => {
        needsNamespaces()
        const mine = join(project, `mine-${version}`)
        mkdirSync(mine)
        const begun = await runIn(mine, node(), 'leakrig', 'init', 'shell')
        expect(begun.all).toContain('npx leakrig scenarios')
        const config = readmeConfig ?? ''
        expect(config.split('\n').length).toBeLessThan(30)
        expect(begun.all).toContain(`wrote ${join(mine, 'leakrig.config.ts')}`)
        writeFileSync(join(mine, 'leakrig.config.ts'), config)
        cpSync(join(projectRoot, 'examples/shell/orchestrate'), join(mine, 'orchestrate'))
        const filters = ['manual', 'leakrig/kill', '--sandbox', 'namespace']
        const { all, exitCode } = await runIn(mine, node(), 'leakrig', 'scenarios', ...filters)
        expect(all).toMatch(/✓ back in .* manual kill/)
        expect(all).toMatch(/✓ back in .* a kill ends everything that the agent started/)
        expect(all).toContain('2 pass; system shell')
        expect(exitCode).toBe(0)
      },
    )

    test('somebody’s own suite runs scenarios, that of the README too', mostly, async () => {
      needsNamespaces()
      const { all, exitCode } = await run(node(), 'vitest', 'run', 'test/')
      expect(all).toMatch(/Tests.* 2 passed/)
      expect(exitCode).toBe(0)
    })
  })
})
