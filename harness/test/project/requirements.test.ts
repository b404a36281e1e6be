import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'

const require = createRequire(import.meta.url)
const { problem } = require('../../../bin/requirements.cjs')
const { dependencies, peerDependencies, scripts } = require('../../../package.json')
let clone = ''

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'leakrig-clone-'))
  for (const name of ['package.json', 'bin'])
    cpSync(join(projectRoot, name), join(clone, name), { recursive: true })
})
afterEach(() => rmSync(clone, { recursive: true }))

function install(): void {
  for (const name of Object.keys({ ...dependencies, ...peerDependencies }))
    mkdirSync(join(clone, 'node_modules', name), { recursive: true })
}

test('a clone without its packages reports that before anything is loaded, and exits with 3', () => {
  for (const command of [
    ['leakrig.cjs', 'scenarios'],
    ['run.cjs', 'vitest', 'run'],
  ]) {
    const { status, stderr, stdout } = spawnSync(process.execPath, command, {
      cwd: join(clone, 'bin'),
      encoding: 'utf8',
    })
    expect(stderr).toMatch(/^leakrig: The package \S+ is not installed in \S+: run `npm ci` there, .*\.\n$/)
    expect(stdout).toBe('')
    expect(status).toBe(3)
  }
})

test('an old Node is reported, with how to get the right one', () => {
  expect(problem('v24.14.1', '/usr/bin/node', clone)).toMatch(
    /^The package \S+ is not installed .* run `npm ci` there/,
  )
  install()
  expect(problem('v24.14.1', '/usr/bin/node', clone)).toMatch(
    /^Node 24\.15 or newer is needed, and this is Node 24\.14\.1 \(\/usr\/bin\/node\): (run `npm ci` without --omit=optional|install Node)/,
  )
  mkdirSync(join(clone, 'node_modules/.bin'))
  writeFileSync(join(clone, 'node_modules/.bin/node'), '')
  expect(problem('v9.0.0', '/usr/bin/node', clone)).toContain('start it with `npm run leakrig -- ...`')
})

test('a Node that is new enough and all packages are no problem', () => {
  install()
  for (const version of ['v24.15.0', 'v24.21.0', 'v26.0.0'])
    expect(problem(version, '/usr/bin/node', clone)).toBeUndefined()
})

/** A package has no sources. */
function makePackage(): string {
  const folder = join(clone, 'node_modules/leakrig')
  mkdirSync(folder, { recursive: true })
  cpSync(join(clone, 'package.json'), join(folder, 'package.json'))
  mkdirSync(join(folder, 'dist'))
  return folder
}

test('a package takes an older Node than a clone, whose types have to be stripped', () => {
  install()
  const folder = makePackage()
  for (const version of ['v22.22.0', 'v24.0.0', 'v26.0.0'])
    expect(problem(version, '/usr/bin/node', folder)).toBeUndefined()
  expect(problem('v22.21.1', '/usr/bin/node', folder)).toBe(
    'Node 22.22 or newer is needed, and this is Node 22.21.1 (/usr/bin/node): install Node 22.22 or newer (https://nodejs.org).',
  )
})

test('a package that was packed without its build says so', () => {
  install()
  const folder = makePackage()
  rmSync(join(folder, 'dist'), { recursive: true })
  expect(problem('v24.15.0', '/usr/bin/node', folder)).toMatch(
    /was packed without what `npm run pack` builds/,
  )
})

test('a package without Vitest names what to install', () => {
  install()
  const folder = makePackage()
  rmSync(join(clone, 'node_modules/vitest'), { recursive: true })
  expect(problem('v24.15.0', '/usr/bin/node', folder)).toBe(
    `The package vitest, which leakrig needs, is not installed where ${folder} finds it: install it beside leakrig (npm install -D vitest@${peerDependencies.vitest}).`,
  )
})

test('every script of package.json begins with that check', () => {
  for (const [name, script] of Object.entries<string>(scripts))
    expect(script, name).toMatch(
      /^(\S+=\S+ )*node bin\/(leakrig|run)\.cjs |^node bin\/leakrig\.cjs$|^npm run /,
    )
})

test('the check runs on Node 12', () => {
  for (const name of ['leakrig', 'requirements', 'run']) {
    const source = readFileSync(join(projectRoot, `bin/${name}.cjs`), 'utf8')
    expect(source, name).not.toMatch(/\?\?|\?\.|\|\|=|&&=|node:|^await |#\w+[ (=]|\bat\(|replaceAll/m)
  }
})
