import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAction } from '@actions/workflow-parser/actions/action-parser'
import { NoOperationTraceWriter } from '@actions/workflow-parser/templates/trace-writer'
import { parseWorkflow } from '@actions/workflow-parser/workflows/workflow-parser'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { writeReportFolder } from '../../cli/report-folder.ts'
import { type ActionRun, machine, makeWorkspace, runAction } from '../support/composite-action.ts'
import { readReport } from '../support/published.ts'
import { aReport, aRun, green, red } from '../support/reports.ts'

const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8')

/** What GitHub's own parser finds wrong. */
function mistakes(name: string, content: string): string[] {
  const parseFile = name === 'action.yml' ? parseAction : parseWorkflow
  const { context } = parseFile({ name, content }, new NoOperationTraceWriter())
  return context.errors.getErrors().map(({ message }) => message)
}

const workflows = globSync('{.github/workflows,examples/ci}/*.yml', { cwd: projectRoot })
  .filter(file => !file.includes('gitlab'))
  .toSorted()

test.for(['action.yml', ...workflows])("%s is right for GitHub's own parser", file => {
  expect(mistakes(file, read(file))).toEqual([])
})

test('which finds what is wrong', () => {
  expect(workflows.length).toBeGreaterThan(3)
  expect(mistakes('action.yml', read('action.yml').replace('using: composite', 'using: magic'))).not.toEqual(
    [],
  )
  expect(
    mistakes('action.yml', read('action.yml').replace('${{ inputs.sandbox', '${{ inpts.sandbox')),
  ).not.toEqual([])
  const workflow = read('examples/ci/github.yml')
  expect(mistakes('w.yml', workflow.replace('runs-on:', 'runs-at:'))).not.toEqual([])
})

test('an action gives values to its scripts by the environment, so that none of them can be a command', () => {
  const { runs } = parse(read('action.yml'))
  const scripts: string[] = runs.steps.flatMap(({ run }: { run?: string }) => run ?? [])
  expect(scripts.length).toBeGreaterThan(4)
  expect(scripts.filter(script => script.includes('${{'))).toEqual([])
})

const ours = workflows.filter(file => file.startsWith('examples/'))

test.for(['action.yml', ...ours])('%s: every action of others is pinned by a commit', file => {
  const used = read(file)
    .split('\n')
    .filter(line => /\buses:/.test(line) && !/uses: OWNER\/leakrig@COMMIT$/.test(line))
  expect(used.filter(line => !/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
})

test('the inputs that an action uses are those that it declares', () => {
  const text = read('action.yml')
  const used = new Set([...text.matchAll(/\binputs\.([\w-]+)/g)].map(([, name]) => name))
  expect([...used].toSorted()).toEqual(Object.keys(parse(text).inputs).toSorted())
})

test.for(globSync('examples/ci/*.yml', { cwd: projectRoot }))('docs/ci.md shows %s as it is', file => {
  expect(read('docs/ci.md')).toContain(`\`\`\`yaml\n${read(file)}\`\`\``)
})

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-ci-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What a project has that has installed leakrig: this checkout. */
const installed = {
  'node_modules/.bin/leakrig': `#!/bin/sh\nINIT_CWD=$PWD exec ${process.execPath} ${projectRoot}/bin/leakrig.ts "$@"\n`,
}

describe('action.yml', () => {
  const run = (
    workspace: string,
    inputs: Record<string, string>,
    { env = {}, restored = {} }: Pick<ActionRun, 'env' | 'restored'> = {},
  ) => {
    const given = { sandbox: 'namespace', ...inputs }
    return runAction({ folder, workspace, action: projectRoot, inputs: given, env, restored })
  }

  /** A leakrig that passes, and writes a report. */
  const passing = {
    'node_modules/.bin/leakrig':
      '#!/bin/sh\nwhile [ "$1" != --report ]; do shift; done\nmkdir -p "$2"\necho "$$" >"$2/report.json"\n',
    'leakrig.config.json': '{}',
  }

  test('a system that leaks fails its job, with a summary, a report and outputs', async () => {
    needsNamespaces()
    const workspace = makeWorkspace(folder, installed)
    const args = "-t\nmanual kill in the middle of the work\n--junit\nit's here.xml\n"
    const { exitCode, outputs, used, log, summary } = await run(workspace, { system: 'none', args })
    expect(log).toMatch(/✗ \d+ leaked +manual kill.*\n::error title=manual kill/s)
    expect(summary).toMatch(/^## leakrig: 0 pass, 1 leak\n/)
    expect({ exitCode, outputs }).toEqual({
      exitCode: 1,
      outputs: { 'exit-code': '1', report: 'leakrig-report' },
    })
    expect(readReport(join(workspace, 'leakrig-report/report.json')).exitCode).toBe(1)
    expect(existsSync(join(workspace, "it's here.xml"))).toBe(true)
    expect(used.map(({ uses }) => uses)).toEqual([
      'actions/setup-node',
      'actions/upload-artifact',
      'actions/upload-artifact',
    ])
    expect(used[1]?.with).toMatchObject({ name: 'leakrig-report', path: 'leakrig-report' })
  })

  test.each([
    ['relative', 'out', 'part/out'],
    ['absolute', '/out', '/out'],
  ])(
    'the %s report of a project below the top is uploaded, and named from the top',
    async (kind, name, from) => {
      const [report, path] = [name, from].map(one => (kind === 'absolute' ? join(folder, one) : one)) as [
        string,
        string,
      ]
      const below = Object.entries(passing).map(([name, text]) => [`part/${name}`, text])
      const workspace = makeWorkspace(folder, Object.fromEntries(below))
      const { exitCode, outputs, used } = await run(workspace, { report, 'working-directory': 'part' })
      expect({ exitCode, outputs }).toEqual({ exitCode: 0, outputs: { 'exit-code': '0', report: path } })
      expect(used.slice(1).map(one => one.with.path)).toEqual([path, 'part/.leakrig'])
    },
  )

  test('an image that was restored where no engine is there stops nothing', async () => {
    const workspace = makeWorkspace(folder, { ...passing, 'bin/docker': '#!/bin/sh\nexit 1\n' })
    const env = { PATH: `${join(workspace, 'bin')}:${machine.PATH}` }
    const restored = { 'leakrig-image.tar': 'no image' }
    expect((await run(workspace, { sandbox: 'auto' }, { env, restored })).exitCode).toBe(0)
  })

  test('the image is cached under the Dockerfile of the leakrig that runs', async () => {
    const keyOf = async (files: Record<string, string>) => {
      const { used } = await run(makeWorkspace(folder, { ...passing, ...files }), { sandbox: 'container' })
      return used.map(one => one.with.key).find(key => key?.startsWith('leakrig-image-'))
    }
    const dockerfile = 'node_modules/leakrig/dist/Dockerfile'
    const keys = [
      await keyOf({}),
      await keyOf({ [dockerfile]: 'FROM a' }),
      await keyOf({ [dockerfile]: 'FROM b' }),
    ]
    expect(new Set(keys).size).toBe(3)
  })

  test.for<[what: string, inputs: Record<string, string>, sentence: string]>([
    [
      'an output of its own',
      { report: 'x\nreport=/etc' },
      'The input REPORT has a line end: write it in one line.',
    ],
    [
      'an unknown command',
      { command: '--help' },
      'The input command is none of scenarios, catalogue, soak and merge.',
    ],
    ['no folder of shards', { command: 'merge', shards: '' }, 'The input shards is empty: name the folder'],
    [
      'a folder of the machine',
      { 'working-directory': '.\n::error::x' },
      'The input WORKING_DIRECTORY has a line end',
    ],
  ])('an input that would be %s is refused', async ([, inputs, sentence]) => {
    const { exitCode, outputs, used, log } = await run(makeWorkspace(folder, passing), inputs)
    expect(log).toContain(`::error title=leakrig::${sentence}`)
    expect({ exitCode, outputs }).toEqual({ exitCode: 2, outputs: { 'exit-code': '2', report: '' } })
    expect(used).toEqual([])
  })

  test.for(['--help', '--version', '-h'])('%s tests nothing, which is no pass', async args => {
    const workspace = makeWorkspace(folder, { ...installed, 'leakrig.config.json': '{}' })
    const { exitCode, log } = await run(workspace, { args })
    expect(log).toContain('::error title=leakrig::It wrote no report, so that nothing was tested')
    expect(exitCode).toBe(3)
  })

  test('a folder of shards that begins as an option does is a folder', async () => {
    const calls = '#!/bin/sh\necho "$@" >calls\n'
    const files = { 'node_modules/.bin/leakrig': calls, '-x/a/report.json': '' }
    const workspace = makeWorkspace(folder, files)
    await run(workspace, { command: 'merge', shards: '-x' })
    expect(readFileSync(join(workspace, 'calls'), 'utf8')).toMatch(/^report merge \.\/-x\/a\/ --report /)
  })

  test('without a configuration nothing is tested, and that is no pass', async () => {
    const { exitCode, log } = await run(makeWorkspace(folder, installed), {})
    expect(log).toMatch(/::error title=leakrig::There is no leakrig\.config\.\* in .*workspace/)
    expect(exitCode).toBe(2)
  })

  test('what the sandbox needs is installed only where something of it is missing', async () => {
    const needed = ['tmux', 'tini', 'unshare', 'ps', 'perl'].map(name => [`bin/${name}`, '#!/bin/sh\n'])
    const there = makeWorkspace(folder, { ...installed, ...Object.fromEntries(needed) })
    const path = `${join(there, 'bin')}:${machine.PATH}`
    expect((await run(there, {}, { env: { PATH: path } })).installed).toEqual([])
    const missing = makeWorkspace(folder, { ...installed, 'bin/nothing': '' })
    // What the scripts themselves call.
    for (const name of ['bash', 'cut', 'find', 'id', 'sha256sum', 'sh', 'sort', 'xargs'])
      symlinkSync((await execa('which', [name])).stdout, join(missing, 'bin', name))
    expect((await run(missing, {}, { env: { PATH: join(missing, 'bin') } })).installed).toEqual([
      'update -qq',
      'install -y -qq tmux tini util-linux procps perl',
    ])
  })

  test('the reports of shards, as artifacts are downloaded, are merged', async () => {
    const workspace = makeWorkspace(folder, installed)
    for (const [index, one] of [green('a'), red('b')].entries()) {
      const run = aRun({ shard: { index: index + 1, count: 2 } })
      await writeReportFolder(
        join(workspace, 'shards', `leakrig-shard-${index + 1}`),
        aReport([one], { run }),
      )
    }
    const { exitCode, log } = await run(workspace, { command: 'merge' })
    expect(log).toContain('1 pass, 1 leak; system mine')
    expect(exitCode).toBe(1)
    rmSync(join(workspace, 'shards/leakrig-shard-2'), { recursive: true })
    expect((await run(workspace, { command: 'merge' })).exitCode).toBe(3)
  })

  test('in a project without leakrig it installs and runs its own, and finds the configuration of the project', {
    tags: ['long', 'nightly'],
    timeout: 600_000,
  }, async () => {
    needsNamespaces()
    const action = join(folder, 'action')
    const { stdout } = await execa('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: projectRoot,
    })
    for (const file of stdout.split('\0').filter(Boolean))
      if (existsSync(join(projectRoot, file))) cpSync(join(projectRoot, file), join(action, file))
    const workspace = makeWorkspace(folder, {})
    cpSync(join(projectRoot, 'examples/shell'), workspace, { recursive: true })
    const inputs = { sandbox: 'namespace', args: '-t\nmanual kill in the middle of the work' }
    const { exitCode, log, summary, used } = await runAction({ folder, workspace, action, inputs })
    expect(log).toMatch(/back in .* manual kill|leaked +manual kill/)
    expect(summary).toMatch(/System <code>shell<\/code>/)
    expect(exitCode).toBe(0)
    expect(used.map(({ uses }) => uses)).toContain('actions/cache')
    expect(readReport(join(workspace, 'leakrig-report/report.json')).systems).toEqual(['shell'])
  })
})

describe('examples/ci/gitlab-ci.yml', () => {
  interface Job {
    script: string[]
    parallel?: number
    artifacts: { paths: string[]; reports?: { junit: string } }
  }
  const { default: defaults, ...jobs }: Record<string, Job> & { default: { before_script: string[] } } =
    parse(read('examples/ci/gitlab-ci.yml'))

  /** Runs the lines of a job as a GitLab runner does, in one shell that ends at the first failure. */
  async function runJob(workspace: string, job: Job, env = {}) {
    const lines = [...defaults.before_script, ...job.script]
    const path = `${join(workspace, 'bin')}:${machine.PATH}`
    return execa('bash', ['-eo', 'pipefail', '-c', lines.join('\n')], {
      cwd: workspace,
      env: { ...machine, ...env, PATH: path },
      extendEnv: false,
      reject: false,
      all: true,
    })
  }

  /** The machine has what a job would install. */
  const nothing = { 'bin/apt-get': '#!/bin/sh\n', 'bin/npm': '#!/bin/sh\n' }

  test('its jobs run what they say, and keep what they write', async () => {
    needsNamespaces()
    const workspace = makeWorkspace(folder, { ...installed, ...nothing })
    const { exitCode, all } = await runJob(workspace, jobs.leakrig as Job)
    expect(all).toContain('7 pass')
    expect(exitCode).toBe(0)
    for (const path of ['leakrig-report/report.json', 'leakrig-junit.xml'])
      expect(existsSync(join(workspace, path))).toBe(true)
    expect(jobs.leakrig?.artifacts.paths).toContain('leakrig-report/')
    expect(jobs.leakrig?.artifacts.reports?.junit).toBe('leakrig-junit.xml')
  })

  test('its shards are merged, and a missing one is no pass', async () => {
    const calls = '#!/bin/sh\necho "$@" >>calls\n'
    const workspace = makeWorkspace(folder, { ...nothing, 'node_modules/.bin/leakrig': calls })
    await runJob(workspace, jobs['leakrig-shard'] as Job, { CI_NODE_INDEX: '2', CI_NODE_TOTAL: '5' })
    expect(readFileSync(join(workspace, 'calls'), 'utf8')).toBe(
      'catalogue --sandbox namespace --shard 2/5 --report shard-2\n',
    )
    const merging = makeWorkspace(folder, { ...nothing, ...installed })
    const count = jobs['leakrig-shard']?.parallel ?? 0
    for (let index = 1; index <= count; index += 1) {
      const run = aRun({ shard: { index, count }, command: 'catalogue' })
      await writeReportFolder(join(merging, `shard-${index}`), aReport([green(`cell ${index}`)], { run }))
    }
    const merge = () => runJob(merging, jobs['leakrig-catalogue'] as Job)
    expect(await merge()).toMatchObject({ exitCode: 0, all: expect.stringContaining('5 pass') })
    rmSync(join(merging, 'shard-4'), { recursive: true })
    expect(await merge()).toMatchObject({ exitCode: 3, all: expect.stringContaining('Shard 4/5 is missing') })
  })
})
