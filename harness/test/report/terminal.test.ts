import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { TestCase } from 'vitest/node'
import { ScenarioReporter } from '../../report/reporter.ts'
import type { ProcessResource, Resource, Snapshot } from '../../snapshot/snapshot.ts'
import { print, printableJson, printProblem, printUnforeseen, shellWord } from '../../terminal.ts'
import { describeLeak } from '../../verdict/describe.ts'

const hostile =
  '\u001b]0;owned\u0007\u001b[2J\u009b31m\u007f\u202e\u2066\u061c\u2028\ud800\r\n$(touch pwned)`touch pwned`;\'"'

/** Every byte that is no text, and every character that shows text in another order; colours of the mark apart. */
const raw = /[\x00-\x09\x0b-\x1f\x7f-\x9f\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

/** All that is printed while the test runs. */
function capture(): string[] {
  const texts: string[] = []
  const keep = (text: unknown) => {
    texts.push(String(text))
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(keep)
  vi.spyOn(console, 'log').mockImplementation(keep)
  vi.spyOn(console, 'error').mockImplementation(keep)
  onTestFinished(() => void vi.restoreAllMocks())
  return texts
}

const owner = { agent: hostile, evidence: hostile }
const leaks = [
  {
    kind: 'process',
    id: 'p',
    pid: 7,
    ppid: 1,
    sid: 7,
    comm: hostile,
    command: hostile,
    state: 'S',
    rss: 1,
    owner,
  },
  { kind: 'session', id: 's', session: '$1', name: hostile, socket: `/${hostile}`, owner },
  { kind: 'pane', id: 'a', pane: '%1', sessionName: hostile, socket: `/${hostile}`, owner },
  { kind: 'file', id: 'f', path: `/${hostile}`, class: hostile, bytes: 1, owner },
  { kind: 'registry', id: 'r', path: `/${hostile}`, owner },
  { kind: 'socket', id: 'o', address: hostile, owner },
].map(one => {
  const now = { resources: [] as Resource[] } as unknown as Snapshot
  return describeLeak(one as unknown as ProcessResource, now, 1)
})

const scenario = {
  fullName: hostile,
  module: { moduleId: hostile },
  meta: () => ({
    leakrig: {
      system: hostile,
      verdicts: [{ result: 'leak', leaks, collateral: [], kept: [], ignored: [], notes: [hostile] }],
      unmet: [],
      kept: hostile,
      notKept: hostile,
    },
  }),
  diagnostic: () => ({ duration: 1 }),
  result: () => ({ state: 'failed', errors: [{ message: hostile }] }),
} as unknown as TestCase

test('nothing from outside reaches the terminal as it is', () => {
  const texts = capture()
  const reporter = new ScenarioReporter()
  reporter.onTestCaseResult(scenario)
  reporter.onTestRunEnd([], [{ message: hostile } as never])
  print(hostile)
  printProblem(hostile)
  printUnforeseen(new Error(hostile))
  print(printableJson({ [hostile]: hostile }))
  // The mark's own colour.
  const printed = texts.map(text => text.replace(/^\x1b\[\d+m(.)\x1b\[\d+m/u, '$1'))
  expect(printed).toHaveLength(7)
  for (const text of printed) expect(raw.exec(text)?.[0]).toBeUndefined()
})

test('JSON is parsed back unchanged', () => {
  expect(JSON.parse(printableJson({ [hostile]: [hostile, '\u{e0001}'] }))).toEqual({
    [hostile]: [hostile, '\u{e0001}'],
  })
})

test('the command of a finding names the file and runs nothing else', () => {
  for (const word of ['plain/file', hostile.replace('\ud800', ''), "it's", '-x y', '\\n', '#{x}'])
    expect(execFileSync('bash', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word)
})

test('only these files write to standard output and standard error', () => {
  const folder = join(import.meta.dirname, '../..')
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const writing = sources.filter(file => {
    if (!file.endsWith('.ts') || /^(test|bench)\//.test(file)) return false
    return /\bconsole\.|\bprocess\.std(out|err)\.write\(/.test(readFileSync(join(folder, file), 'utf8'))
  })
  expect(writing.toSorted()).toEqual([
    'cli/reproduce/relay.ts', // a terminal in the sandbox, as it is
    'probe/module-host.ts', // what it prints is read by the probe
    'report/reporter.ts',
    'sandbox/claude/wrapper.ts', // a script that it generates
    'sandbox/container/build-base.ts', // sentences of its own only
    'terminal.ts',
  ])
})
