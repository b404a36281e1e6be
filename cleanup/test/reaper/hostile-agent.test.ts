import { describe, expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import fc from '../../../test/fast-check.ts'
import { needs } from '../../../test/needs.ts'
import { agentMarker } from '../../orchestrator.ts'
import { honestAgent, hostileInputs, writeHostileWorkspace } from '../support/hostile/hostile-agent.ts'
import { Victim } from '../support/hostile/victim.ts'
import { isRunning } from '../support/rig.ts'
import { type CommandResult, commandWords, RunningCommand } from '../support/run-command.ts'
import { until } from '../support/until.ts'

/** How many hostile agents are tried for each user at length; HOSTILE_RUNS for more (`npm run test:hostile`). */
const MANY = Number(process.env.HOSTILE_RUNS ?? 12)
/** How long everything may take for one of them, in ms: without a bound, a command that hangs would hang for ever. */
const WITHIN_MS = 60_000

const isRoot = process.geteuid?.() === 0
const OWNER = 54_321

/**
 * Whatever a hostile agent writes, nothing outside the workspace changes, and no process gets a signal if only that writing
 * ties it to the agent.
 */
for (const { tags, ...runs } of [
  // The same three each time: three random ones may all be refused.
  { numRuns: 3, seed: 1, tags: [] },
  { numRuns: MANY, tags: ['long'] },
])
  describe(`whatever an agent writes into its workspace, ${runs.numRuns} times`, {
    tags,
    timeout: runs.numRuns * 60_000,
  }, () => {
    test('as its user: sweep, cleanUp, daemon and retention touch nothing else', () =>
      tryAll(runs, process.geteuid?.() ?? 0, async victim => {
        const program = testProgram('run-everything')
        return [await run([process.execPath, program, victim.workspace], victim)]
      }))

    test('as root: the commands touch nothing else', () => {
      needs('root rights', isRoot)
      return tryAll(runs, OWNER, async victim => {
        const sweep = ['sweep', '--apply', '--orphans', '--min-age', '0s', '--grace', '0s', victim.workspace]
        return [
          await run(commandWords(...sweep), victim),
          await run(commandWords('retention', '--apply', '--keep-days', '0', victim.workspace), victim),
          await daemonFor(victim),
        ]
      })
    })
  })

async function tryAll(
  runs: { numRuns: number; seed?: number },
  uid: number,
  act: (victim: Victim) => Promise<CommandResult[]>,
): Promise<void> {
  await using victim = await Victim.start(uid)
  expect(victim.damage()).toEqual([])
  let cleaned = 0
  const property = fc.asyncProperty(hostileInputs(victim), async hostile => {
    writeHostileWorkspace(victim, hostile)
    const left = victim.start(['sleep', '1000'], { LEAKRIG_AGENT: agentMarker(honestAgent(victim)) })
    const ran = await act(victim)
    if (!isRunning(left.pid ?? 0)) cleaned++
    left.kill('SIGKILL')
    // No stack trace, and no command that had to be killed.
    for (const { code, err } of ran)
      expect([code, err]).toEqual([expect.any(Number), expect.not.stringMatching(/^ {4}at /m)])
    expect(victim.damage()).toEqual([])
  })
  await fc.assert(property, { ...runs, endOnFailure: true })
  // Commands that do nothing at all would do no harm either.
  expect(cleaned).toBeGreaterThan(runs.numRuns / 4)
}

async function run(words: string[], victim: Victim): Promise<CommandResult> {
  const running = new RunningCommand(words, victim.environment)
  const deadline = setTimeout(() => running.child.kill('SIGKILL'), WITHIN_MS)
  try {
    return await running.end()
  } finally {
    clearTimeout(deadline)
  }
}

/** Runs a daemon until it has checked every agent and finished what it began, or until it refuses. */
async function daemonFor(victim: Victim): Promise<CommandResult> {
  const running = new RunningCommand(
    commandWords('daemon', '--grace', '100ms', victim.workspace),
    victim.environment,
  )
  const ended = running.end()
  await until('it began or refused', () => running.out.includes('"started"') || running.err !== '', WITHIN_MS)
  running.child.kill('SIGTERM')
  return ended
}
