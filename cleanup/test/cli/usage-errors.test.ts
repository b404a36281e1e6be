import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { leakrig } from '../support/cli.ts'

let folder: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  folder = fs.realpathSync(made.path)
  remove = made.cleanup
  fs.mkdirSync(path.join(folder, '.agent-workspace'))
})
afterEach(() => remove())

test.each([
  ['daemon --metrics-file --end-idle', '--metrics-file <file>', 'a file name'],
  ['daemon --metrics-socket -x', '--metrics-socket <file>', 'a file name'],
  ['service install --print --metrics-token-file --now', '--metrics-token-file <file>', 'a file name'],
  ['explain a --workspace --json', '--workspace <dir>', 'a folder name'],
  ['retention --keep-days --apply', '--keep-days <days>', 'a value'],
  ['sweep --grace --apply', '--grace <duration>', 'a value'],
])('%s: an option is not the value of another one', (words, option, needed) => {
  expect(leakrig(words.split(' '), folder)).toEqual({
    code: 2,
    out: '',
    err: `leakrig: option '${option}' needs ${needed}, not another option`,
  })
  expect(fs.readdirSync(folder, { recursive: true })).toEqual(['.agent-workspace'])
})

test('a file that begins with a dash can be named with its folder', () => {
  const { code, out } = leakrig(['service', 'install', '--print', '--metrics-file', './-x.prom'], folder)
  expect(code).toBe(0)
  expect(out).toContain(`"${folder}/-x.prom"`)
})

test.each([
  ['sweep --aply', "unknown option '--aply' (Did you mean --apply?)"],
  ['daemon --grce 3s', "unknown option '--grce' (Did you mean --grace?)"],
  ['explain', `missing required argument 'agent|pid'; "leakrig explain --help" shows the usage`],
  ['sweep --x\ny', `unknown option '--x\\u{a}y'; "leakrig sweep --help" lists the options`],
  ['retention --keep=1', `unknown option '--keep=1'; "leakrig retention --help" lists the options`],
  [
    'service install --compress',
    'The option --compress was removed, because archives are no longer compressed; leave it out.',
  ],
  [
    'sweep --grace 3',
    '--grace "3" is refused: expected a duration with its unit (ms, s, m, h or d), such as 500ms, 3s or 2m.',
  ],
  ['retention --keep-last x', '--keep-last "x" is refused: expected one whole number.'],
  [
    'explain a .agent-workspace --workspace .agent-workspace',
    'The workspace is named twice, as ".agent-workspace" and with --workspace ".agent-workspace"; leave one of them out.',
  ],
])('%j: one line', (words, sentence) => {
  expect(leakrig(words.split(' '), folder)).toEqual({ code: 2, out: '', err: `leakrig: ${sentence}` })
})
