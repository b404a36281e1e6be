import { stripVTControlCharacters } from 'node:util'
import { beginning, makeReport, type Report, withoutTimelines } from '../report/report.ts'
import type { ScenarioResult } from '../report/scenario-result.ts'
import { SoakReporter } from '../report/soak-reporter.ts'
import { soakText } from '../report/soak-text.ts'
import { summaryText } from '../report/summary.ts'
import type { SandboxChoice } from '../sandbox/sandbox.ts'
import { chooseSandbox } from '../sandbox/start.ts'
import { judgeSoak } from '../soak/judge.ts'
import type { SoakPlan } from '../soak/round.ts'
import { print } from '../terminal.ts'
import { chosenSystem, nameOf } from './chosen-systems.ts'
import { requireWritable, writeJson } from './json-file.ts'
import { neededBy } from './needs.ts'
import { requireProcessRoom } from './process-limit.ts'
import { requireReportFolder, writeReportFolder } from './report-folder.ts'
import { runTests } from './run-tests.ts'
import { openVitest } from './vitest.ts'

export interface SoakOptions {
  system?: string
  config?: string
  sandbox: SandboxChoice
  mount?: string[]
  image?: string
  agents: number
  repeat?: number
  for?: number
  seed?: number
  json?: string
  report?: string
}

/** Without `--repeat` and `--for`. */
const usualRounds = 20

/**
 * Runs rounds of agents in one sandbox, prints by how much each resource grows with each agent, and returns the exit code.
 * An interrupted soak prints the slopes until then.
 * @throws UsageError for a system or a file that cannot be used
 */
export async function runSoak(options: SoakOptions): Promise<number> {
  const began = beginning()
  if (options.json) requireWritable(options.json)
  if (options.report) requireReportFolder(options.report)
  const { system: wanted, ...files } = options
  const chosen = await chosenSystem({ ...files, ...(wanted !== undefined && { system: [wanted] }) })
  const needs = neededBy(options, chosen)
  requireProcessRoom('soak', 1)
  const plan = planOf(options)
  const sandbox = await chooseSandbox(options.sandbox, false, needs)
  const reporter = new SoakReporter(nameOf(chosen))
  const vitest = await openVitest([], { projects: ['soak'], reporter, workers: 1 })
  let interrupted: NodeJS.Signals | undefined
  try {
    print(
      `leakrig: soak, system ${nameOf(chosen)}, sandbox ${sandbox.kind} (${sandbox.why})\n${planText(plan)}\n`,
    )
    const settings = { system: chosen, sandbox: sandbox.kind, needs, soak: plan }
    for (const project of vitest.projects) project.provide('leakrig', settings)
    interrupted = await runTests(vitest, reporter)
    const results = [resultOf(reporter, nameOf(chosen), plan)]
    const report = makeReport(
      { beginning: began, sandbox, interrupted },
      { results, errors: reporter.errors },
    )
    printResult(report)
    if (options.json) writeJson(options.json, withoutTimelines(report))
    if (options.report) writeReportFolder(options.report, report)
    return report.exitCode
  } finally {
    if (!interrupted) await vitest.close()
  }
}

function planOf({ agents, repeat, for: forMs, seed }: SoakOptions): SoakPlan {
  const rounds = repeat ?? (forMs === undefined ? usualRounds : undefined)
  return {
    seed: seed ?? Math.floor(Math.random() * 2 ** 31),
    agents,
    ...(rounds !== undefined && { rounds }),
    ...(forMs !== undefined && { forMs }),
  }
}

function planText({ seed, agents, rounds, forMs }: SoakPlan): string {
  const limits = [
    ...(rounds === undefined ? [] : [`${rounds} rounds`]),
    ...(forMs === undefined ? [] : [`${forMs / 1000} s`]),
  ]
  return `at most ${limits.join(' and ')} with ${agents} agents each; --seed ${seed} draws the same agents again`
}

/** A leak that was found is certain, whatever kept the soak from going on. */
function resultOf({ result: ended, rounds }: SoakReporter, system: string, plan: SoakPlan): ScenarioResult {
  const none = { file: 'soak', name: 'soak', system, durationMs: 0, leftOut: [], unmet: [], errors: [] }
  const result = { ...none, ...ended, verdicts: [], verdict: 'inconclusive' as const }
  if (rounds.length === 0) return result
  const soak = judgeSoak(plan, rounds)
  const isWhole = ended !== undefined && ended.errors.length === 0
  if (soak.verdict === 'collateral') return { ...result, soak, verdict: 'collateral' }
  if (soak.verdict === 'leak' || result.unmet.length > 0) return { ...result, soak, verdict: 'leak' }
  return { ...result, soak, verdict: isWhole ? soak.verdict : 'inconclusive' }
}

function printResult(report: Report): void {
  for (const { soak, unmet, errors } of report.scenarios) {
    if (soak) print(`\n${soakText(soak)}`)
    for (const line of [...unmet, ...errors]) print(stripVTControlCharacters(line))
  }
  print(summaryText(report))
}
