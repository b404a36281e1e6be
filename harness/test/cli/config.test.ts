import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { chosenSystem } from '../../cli/chosen-systems.ts'
import { UsageError } from '../../cli/exit.ts'
import { readConfig } from '../../systems/config-file.ts'

let folder = ''
beforeAll(() => {
  // Not in /tmp, of which each sandbox has its own.
  folder = mkdtempSync('/var/tmp/leakrig-config-')
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a command of leakrig with a new current folder that has these files. */
async function leakrig(args: string[], files: Record<string, string> = {}, name = 'project') {
  const project = projectWith(files, name)
  const env = { ...process.env, INIT_CWD: project }
  const program = join(projectRoot, 'bin/leakrig.cjs')
  const run = await execa(process.execPath, [program, ...args], {
    env,
    reject: false,
    stdin: 'ignore',
    cwd: projectRoot,
  })
  return { ...run, project }
}

function projectWith(files: Record<string, string>, name = 'project'): string {
  const project = mkdtempSync(join(folder, `${name}-`))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text)
  return project
}

const scenarios = ['scenarios', '--sandbox', 'namespace', 'manual']
const json = (...systems: object[]) => JSON.stringify(systems.length === 1 ? systems[0] : systems)
const deploy = { run: 'true' }

test('a configuration with mistakes: all of them at once, each with its field, and exit 2', async () => {
  const file = { 'leakrig.config.json': json({ name: 'x', deploy: { run: 'a {promt}' }, kil: 1 }) }
  const first = await leakrig(scenarios, file)
  expect(first.stderr).toMatch(
    /^leakrig: \S+\/leakrig\.config\.json has 2 mistakes:\n {2}unknown field "kil"; there are .*\n {2}deploy\.run: unknown placeholder/,
  )
  expect(first.exitCode).toBe(2)
  const two = { 'leakrig.config.json': json({ name: 'x', deploy: { run: 'a {promt}' } }, { name: 'y' }) }
  const second = await leakrig(scenarios, two)
  expect(second.stderr).toMatch(
    /has 2 mistakes:\n {2}\[0\]\.deploy\.run: unknown placeholder \{promt\}.*\n {2}\[1\]\.deploy: is missing/,
  )
})

const wrong: [string, string[], Record<string, string>, RegExp][] = [
  [
    'a file that is not there',
    ['--config', 'none.ts'],
    {},
    /none\.ts cannot be read as a configuration: there is no such file\.$/,
  ],
  ['no JSON', [], { 'leakrig.config.json': '{' }, /cannot be read as a configuration: /],
  [
    'a module that fails',
    [],
    { 'leakrig.config.mjs': 'throw new Error("broken")' },
    /cannot be read as a configuration: broken\.$/,
  ],
  [
    'a module without an export',
    [],
    { 'leakrig.config.mjs': 'export const a = 1' },
    /it has no default export\.$/,
  ],
  [
    'the name of a system of ours',
    [],
    { 'leakrig.config.json': json({ name: 'hybrid', deploy }) },
    /"hybrid" is the name of one of leakrig’s own systems: choose another$/,
  ],
  [
    'one name twice',
    [],
    { 'leakrig.config.json': json({ name: 'x', deploy }, { name: 'x', deploy }) },
    /name: "x" is the name of several systems$/,
  ],
  [
    'several systems and no choice',
    [],
    { 'leakrig.config.json': json({ name: 'x', deploy }, { name: 'y', deploy }) },
    /^There are several systems \(x, y\), and scenarios test one: choose it with --system\.$/,
  ],
  [
    'a system that nothing has',
    ['--system', 'z'],
    { 'leakrig.config.json': json({ name: 'x', deploy }) },
    /^--system "z" is refused: expected one of x, none, immediate, /,
  ],
]

for (const [what, args, files, sentence] of wrong)
  test(`${what} is wrong usage, in one sentence`, async () => {
    const project = projectWith(files)
    const [, config = Object.keys(files)[0] ?? ''] = args[0] === '--config' ? args : []
    const names = args[0] === '--system' ? args.slice(1) : []
    const chosen = chosenSystem({ config: join(project, config), system: names })
    await expect(chosen).rejects.toThrow(UsageError)
    await expect(chosen).rejects.toThrow(sentence)
  })

test('a broken configuration does not keep our own systems from being tested', async () => {
  needsNamespaces()
  const { exitCode, stdout } = await leakrig([...scenarios, '--system', 'hybrid'], {
    'leakrig.config.json': '{',
  })
  expect(stdout).toContain('1 pass; system hybrid')
  expect(exitCode).toBe(0)
})

test('a system of a configuration in JSON is found in the current folder, and lies there in the sandbox', async () => {
  needsNamespaces()
  const claude = 'claude --print --output-format stream-json --verbose "$PROMPT"'
  const start = `#!/bin/sh\ntmux new-session -d -s one -e "PROMPT=$1" '${claude}'\n`
  const system = {
    name: 'json',
    deploy: { run: 'sh {project}/start {prompt}' },
    kill: { run: 'tmux kill-session -t ={session}:' },
  }
  const { exitCode, stdout } = await leakrig(
    scenarios,
    { start, 'leakrig.config.json': json(system) },
    'with space',
  )
  expect(stdout).toMatch(/^leakrig: system json, sandbox namespace/)
  expect(stdout).toMatch(
    /^not checked, because the system does not declare it: the archive of the logs \(logs\.archived\); /m,
  )
  expect(exitCode).toBe(0)
})

test('init begins a configuration that is whole, and writes over nothing', async () => {
  for (const kind of ['shell', 'mcp', 'module']) {
    const { exitCode, stdout, project } = await leakrig(['init', kind])
    // Without a package.json, a .ts file might be taken for a CommonJS module.
    expect(stdout).toContain(`wrote ${join(project, 'leakrig.config.mts')}`)
    expect(exitCode).toBe(0)
    const file = join(project, 'leakrig.config.mts')
    const before = readFileSync(file, 'utf8')
    expect(before.split('\n').length).toBeLessThan(20)
    expect(await readConfig(file)).toMatchObject([{ name: 'mine' }])
    const env = { ...process.env, INIT_CWD: project }
    const second = await execa(process.execPath, [join(projectRoot, 'bin/leakrig.cjs'), 'init', kind], {
      env,
      reject: false,
    })
    expect(second.stderr).toBe(`leakrig: ${file} is there already: change it, or remove it first.`)
    expect(second.exitCode).toBe(2)
    expect(readFileSync(file, 'utf8')).toBe(before)
  }
})

test('init asks only on a terminal', async () => {
  const { exitCode, stderr, project } = await leakrig(['init'])
  expect(stderr).toMatch(/^leakrig: init needs to know the kind of your system: write "init shell", /)
  expect(exitCode).toBe(2)
  expect(existsSync(join(project, 'leakrig.config.mts'))).toBe(false)
})
