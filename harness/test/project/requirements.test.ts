import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'

const require = createRequire(import.meta.url)
const { problem } = require('../../../bin/requirements.cjs')
const { dependencies, scripts } = require('../../../package.json')
let clone = ''

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'leakrig-clone-'))
  for (const name of ['package.json', 'bin'])
    cpSync(join(projectRoot, name), join(clone, name), { recursive: true })
})
afterEach(() => rmSync(clone, { recursive: true }))

function install(): void {
  for (const name of Object.keys(dependencies))
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
    /^The project needs Node 24\.15 or newer, and this is Node 24\.14\.1 \(\/usr\/bin\/node\): (run `npm ci` without --omit=optional|install Node)/,
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

test('a package may lie further up, where the project is a dependency itself', () => {
  const inside = join(clone, 'node_modules/leakrig')
  install()
  cpSync(join(clone, 'package.json'), join(inside, 'package.json'))
  expect(problem('v24.15.0', '/usr/bin/node', inside)).toBeUndefined()
})

test('every script of package.json begins with that check', () => {
  for (const [name, script] of Object.entries<string>(scripts))
    expect(script, name).toMatch(
      /^(\S+=\S+ )?node bin\/(leakrig|run)\.cjs |^node bin\/leakrig\.cjs$|^npm run /,
    )
})

test('the check runs on Node 12', () => {
  for (const name of ['leakrig', 'requirements', 'run']) {
    const source = readFileSync(join(projectRoot, `bin/${name}.cjs`), 'utf8')
    expect(source, name).not.toMatch(/\?\?|\?\.|\|\|=|&&=|node:|^await |#\w+[ (=]|\bat\(|replaceAll/m)
  }
})
