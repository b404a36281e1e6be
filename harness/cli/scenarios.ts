import { closeSync, openSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { CliOptions, Vitest } from 'vitest/node'
import { exitCodes } from '../report/exit-codes.ts'
import { exitCode, type Report } from '../report/report.ts'
import { ScenarioReporter } from '../report/reporter.ts'
import { summaryText } from '../report/summary.ts'
import type { SandboxChoice } from '../sandbox/choices.ts'
import { projectRoot } from '../sandbox/project.ts'
import { chooseSandbox } from '../sandbox/start.ts'
import { UsageError } from './exit.ts'

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
 * @throws UsageError for what Vitest does not know, or a filter that matches no scenario.
 */
export async function runScenarios(options: ScenarioOptions, rest: string[]): Promise<number> {
  const startedAt = new Date()
  if (options.json) requireWritable(options.json)
  const reporter = new ScenarioReporter()
  const { filter } = await parseVitestFlags(rest)
  // Tried while Vitest loads; a filter that matches nothing is told first.
  const choosing = options.list ? undefined : chooseSandbox(options.sandbox)
  choosing?.catch(() => {})
  const vitest = await openVitest(rest, reporter, options.workers)
  try {
    await requireMatch(vitest, filter)
    if (!choosing) return await list(vitest, filter)
    const sandbox = await choosing
    console.log(`leakrig: system ${options.system}, sandbox ${sandbox.kind} (${sandbox.why})\n`)
    // To the projects: what the config file provides for `npm test` stands there, and would win over the root's.
    const settings = { system: options.system, sandbox: sandbox.kind, keep: options.keep === true }
    for (const project of vitest.projects) project.provide('leakrig', settings)
    await vitest.start(filter)
    const measured = { scenarios: reporter.results, errors: reporter.errors }
    const report: Report = {
      schemaVersion: 1,
      startedAt: startedAt.toISOString(),
      durationMs: Date.now() - startedAt.getTime(),
      system: options.system,
      sandbox,
      exitCode: exitCode(measured),
      ...measured,
    }
    console.log(summaryText(report))
    if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
    return report.exitCode
  } finally {
    await vitest.close()
  }
}

/** Before the run: a report that can not be written afterwards is a lost run. */
function requireWritable(file: string): void {
  try {
    closeSync(openSync(file, 'a'))
  } catch (error) {
    throw new UsageError(
      `The report can not be written to ${resolve(file)}: ${String(error)}; name a file in a folder that exists.`,
    )
  }
}

type VitestFlags = CliOptions & { reporter?: string | string[] }

/** Vitest with the scenarios alone, and our reporter in front of those that were asked for. */
async function openVitest(rest: string[], reporter: ScenarioReporter, workers?: number): Promise<Vitest> {
  const { createVitest } = await import('vitest/node')
  // What the parser calls `reporter` would take the place of all `reporters`, ours among them.
  const { reporter: asked = [], ...options } = (await parseVitestFlags(rest)).options as VitestFlags
  return createVitest('test', {
    ...options,
    // One more than cores: much of a scenario's time is waiting for something to end.
    maxWorkers: workers ?? options.maxWorkers ?? availableParallelism() + 1,
    root: projectRoot,
    config: resolve(projectRoot, 'vitest.config.ts'),
    // The other loaders write a file beside the config; the clone may belong to somebody else.
    configLoader: 'runner',
    project: ['scenarios'],
    watch: false,
    reporters: [reporter, ...([asked].flat() as [])],
  })
}

/** Vitest's own parser takes an unknown option silently when it is asked for the options alone. */
async function parseVitestFlags(rest: string[]) {
  const { createCLI, parseCLI } = await import('vitest/node')
  const cli = createCLI()
  try {
    cli.parse(['node', 'vitest', ...rest], { run: false })
    cli.matchedCommand?.checkUnknownOptions()
    cli.matchedCommand?.checkOptionValue()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `${message.replace(/^U/, 'u')}: neither leakrig nor Vitest takes that; see leakrig scenarios --help.`,
    )
  }
  return parseCLI(['vitest', ...rest])
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

async function list(vitest: Vitest, filter: string[]): Promise<number> {
  const { testModules } = await vitest.collect(filter)
  for (const module of testModules) {
    console.log(module.relativeModuleId)
    for (const test of module.children.allTests()) console.log(`  ${test.fullName}`)
  }
  return exitCodes.passed
}
