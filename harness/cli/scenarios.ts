import type { Vitest } from 'vitest/node'
import { exitCodes } from '../report/exit-codes.ts'
import { beginning, makeReport } from '../report/report.ts'
import { ScenarioReporter } from '../report/reporter.ts'
import { summaryText } from '../report/summary.ts'
import type { SandboxChoice } from '../sandbox/choices.ts'
import { projectRoot } from '../sandbox/project.ts'
import { chooseSandbox } from '../sandbox/start.ts'
import { UsageError } from './exit.ts'
import { runTests } from './interruptible.ts'
import { requireWritable, writeJson } from './json-file.ts'
import { openVitest, parseVitestFlags } from './vitest.ts'

type Pattern = string | RegExp | undefined

export interface ScenarioOptions {
  system: string
  sandbox: SandboxChoice
  workers?: number
  json?: string
  keep?: boolean
  list?: boolean
}

/**
 * Runs the scenarios as Vitest tests and reports on them. `rest` goes to Vitest: filters and its own options.
 * Returns the exit code.
 * @throws UsageError for what Vitest does not know, or a filter or a pattern (`-t`) that matches no scenario.
 */
export async function runScenarios(options: ScenarioOptions, rest: string[]): Promise<number> {
  const began = beginning()
  if (options.json) requireWritable(options.json)
  const { filter, options: flags } = await parseVitestFlags(rest)
  const pattern = flags.testNamePattern
  const reporter = new ScenarioReporter({ onlySkippedWithReason: pattern !== undefined })
  // Tried while Vitest loads; a filter that matches nothing is told first.
  const choosing = options.list ? undefined : chooseSandbox(options.sandbox)
  choosing?.catch(() => {})
  // The catalogue takes minutes: it runs when it is named.
  const named = filter.some(word => word.includes('catalogue'))
  const projects = ['scenarios', ...(named ? ['catalogue'] : [])]
  const vitest = await openVitest(rest, { projects, reporter, workers: options.workers })
  try {
    await requireMatch(vitest, filter)
    if (!choosing) return await list(vitest, filter, pattern)
    const sandbox = await choosing
    console.log(`leakrig: system ${options.system}, sandbox ${sandbox.kind} (${sandbox.why})\n`)
    // To the projects: what the config file provides for `npm test` stands there, and would win over the root's.
    const settings = { system: options.system, sandbox: sandbox.kind, keep: options.keep === true }
    for (const project of vitest.projects) project.provide('leakrig', settings)
    const interrupted = await runTests(vitest, reporter, filter)
    if (!interrupted && pattern !== undefined && reporter.results.length + reporter.errors.length === 0)
      throw noName(pattern, vitest.config.shard !== undefined)
    const report = makeReport({ beginning: began, system: options.system, sandbox, interrupted }, reporter)
    console.log(summaryText(report))
    if (options.json) writeJson(options.json, report)
    return report.exitCode
  } finally {
    await vitest.close()
  }
}

async function requireMatch(vitest: Vitest, filter: string[]): Promise<void> {
  for (const word of filter) {
    const found = await vitest.globTestSpecifications([word])
    if (found.length > 0) continue
    const all = await vitest.globTestSpecifications()
    const names = all.map(({ moduleId }) => moduleId.slice(projectRoot.length + 1))
    throw new UsageError(
      `No scenario matches ${JSON.stringify(word)}; the scenarios are ${names.join(', ')}.`,
    )
  }
}

async function list(vitest: Vitest, filter: string[], pattern: Pattern): Promise<number> {
  // Not read off the text, as Vitest does by default: the catalogue's tests are generated.
  const { testModules } = await vitest.collect(filter, { staticParse: false })
  let isEmpty = true
  for (const module of testModules) {
    // What the pattern leaves out is collected too, to be skipped.
    const tests = [...module.children.allTests()].filter(({ options }) => options.mode !== 'skip')
    if (tests.length === 0) continue
    isEmpty = false
    console.log(module.relativeModuleId)
    for (const test of tests) console.log(`  ${test.fullName}`)
  }
  if (pattern !== undefined && isEmpty) throw noName(pattern)
  return exitCodes.passed
}

function noName(pattern: NonNullable<Pattern>, isShard = false): UsageError {
  return new UsageError(
    `No scenario's name${isShard ? ' in this shard' : ''} matches ${JSON.stringify(String(pattern))}; leakrig scenarios --list names them.`,
  )
}
