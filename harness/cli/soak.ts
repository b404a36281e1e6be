import { stripVTControlCharacters } from 'node:util'
import type { Interruption } from '../report/exit-codes.ts'
import { beginning, makeReport, type Report } from '../report/report.ts'
import type { ScenarioResult } from '../report/scenario-result.ts'
import { SoakReporter } from '../report/soak-reporter.ts'
import { planText, soakSentences, soakText } from '../report/soak-text.ts'
import { summaryText } from '../report/summary.ts'
import type { SandboxChoice } from '../sandbox/sandbox.ts'
import { chooseSandbox } from '../sandbox/start.ts'
import { judgeSoak } from '../soak/judge.ts'
import type { SoakPlan } from '../soak/round.ts'
import { ownSystem } from '../systems/systems.ts'
import { print } from '../terminal.ts'
import { type Chosen, chosenSystem, nameOf } from './chosen-systems.ts'
import { describedRun } from './described-run.ts'
import { guardCommands } from './github.ts'
import { neededBy } from './needs.ts'
import { type OutputOptions, requireOutputs, writeOutputs } from './outputs.ts'
import { requireProcessRoom } from './process-limit.ts'
import { runTests } from './run-tests.ts'
import { requireTime } from './soak-time.ts'
import { openVitest } from './vitest.ts'

export interface SoakOptions extends OutputOptions {
  system?: string
  config?: string
  sandbox: SandboxChoice
  mount?: string[]
  image?: string
  agents: number
  repeat?: number
  for?: number
  seed?: number
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
  guardCommands()
  requireOutputs(options)
  const { system: wanted, ...files } = options
  const chosen = await chosenSystem({ ...files, ...(wanted !== undefined && { system: [wanted] }) })
  const needs = neededBy(options, chosen)
  requireProcessRoom('soak', 1)
  const plan = planOf(options, chosen)
  const sandbox = await chooseSandbox(options.sandbox, false, needs)
  requireTime(sandbox.kind, plan)
  const reporter = new SoakReporter(nameOf(chosen))
  const vitest = await openVitest([], { projects: ['soak'], reporter, workers: 1 })
  let interrupted: Interruption | undefined
  try {
    print(
      `leakrig: soak, system ${nameOf(chosen)}, sandbox ${sandbox.kind} (${sandbox.why})\n${planText(plan, process.stdout.columns)}\n`,
    )
    const settings = { system: chosen, sandbox: sandbox.kind, needs, soak: plan }
    for (const project of vitest.projects) project.provide('leakrig', settings)
    interrupted = await runTests(vitest, reporter)
    const results = [resultOf(reporter, nameOf(chosen), plan)]
    const run = describedRun({
      command: 'soak',
      systems: [chosen],
      ...(options.config !== undefined && { config: options.config }),
      selection: [],
    })
    const report = makeReport(
      { beginning: began, run, sandbox, interrupted },
      { results, errors: reporter.errors },
    )
    printResult(report, reporter.result?.errors ?? [])
    return await writeOutputs(options, report)
  } finally {
    if (!interrupted) await vitest.close()
  }
}

function planOf({ agents, repeat, for: forMs, seed }: SoakOptions, chosen: Chosen): SoakPlan {
  const { maxAgents = Infinity } = typeof chosen === 'string' ? ownSystem(chosen) : chosen
  const rounds = repeat ?? (forMs === undefined ? usualRounds : undefined)
  return {
    seed: seed ?? Math.floor(Math.random() * 2 ** 31),
    agents: Math.min(agents, maxAgents),
    ...(rounds !== undefined && { rounds }),
    ...(forMs !== undefined && { forMs }),
  }
}

/** A leak that was found is certain, whatever kept the soak from going on. */
function resultOf({ result: ended, rounds }: SoakReporter, system: string, plan: SoakPlan): ScenarioResult {
  const none = { file: 'soak', name: 'soak', system, durationMs: 0, leftOut: [], unmet: [], errors: [] }
  const result = { ...none, ...ended, verdicts: [], verdict: 'inconclusive' as const }
  if (rounds.length === 0) return result
  const soak = judgeSoak(plan, rounds)
  const errors = [...result.errors, ...soakSentences(soak)]
  const isWhole = ended !== undefined && ended.errors.length === 0
  if (soak.verdict === 'collateral') return { ...result, soak, errors, verdict: 'collateral' }
  if (soak.verdict === 'leak' || result.unmet.length > 0) return { ...result, soak, errors, verdict: 'leak' }
  return { ...result, soak, errors, verdict: isWhole ? soak.verdict : 'inconclusive' }
}

/** @param errors what kept the soak from going on; the table shows the rest */
function printResult(report: Report, errors: string[]): void {
  for (const { soak, unmet } of report.scenarios) {
    if (soak) print(`\n${soakText(soak, process.stdout.columns)}`)
    for (const line of [...unmet, ...errors]) print(stripVTControlCharacters(line))
  }
  print(summaryText(report))
}
