import { callOf } from '../../../bin/programs.ts'
import { CannotMeasureError } from '../../errors.ts'
import { exitCodes, signalled } from '../../report/exit-codes.ts'
import {
  endedByItselfText,
  endedEarlyText,
  endingText,
  evidenceTable,
  goneText,
  headText,
  hintsText,
  leftText,
  noTerminalText,
  pictureText,
  sweepCommand,
} from '../../report/reproduction-text.ts'
import type { SandboxChoice } from '../../sandbox/sandbox.ts'
import { chooseSandbox } from '../../sandbox/start.ts'
import { endAllBelow } from '../../sandbox/traces.ts'
import { print, printProblem } from '../../terminal.ts'
import type { Counts } from '../../timeline/counts.ts'
import { chosenSystem, nameOf } from '../chosen-systems.ts'
import { UsageError } from '../exit.ts'
import { neededBy } from '../needs.ts'
import { requireProcessRoom } from '../process-limit.ts'
import { listCells } from '../selection.ts'
import { type Live, restoreTerminal, watchBuilding, watchHeld } from './live.ts'
import { outputInSandbox, runInSandbox } from './relay.ts'
import { listText, reproducible } from './reproducible.ts'
import { Reproduction } from './reproduction.ts'
import type { EndingChoice } from './shapes.ts'

export interface ReproduceOptions {
  system?: string
  config?: string
  sandbox: SandboxChoice
  mount?: string[]
  image?: string
  engine?: string
  ending?: EndingChoice
  then?: string
  verbose?: boolean
  list?: boolean
}

/** The report's system as found: it leaks. */
const leaky = 'none'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'] as const

/**
 * Makes a leak on purpose, shows it, and leaves the user in its sandbox, until the user leaves. Without a terminal it only
 * shows it. The exit code: that of the command of `--then`.
 * @throws UsageError for a name that nothing has
 */
export async function runReproduce(name: string | undefined, options: ReproduceOptions): Promise<number> {
  if (options.list || name === undefined) {
    print(listText())
    return exitCodes.passed
  }
  const wanted = reproducible(name, options.ending)
  const ending = new Ending(options.sandbox !== 'namespace')
  const { system, engine, ...rest } = options
  const chosen = await chosenSystem({ ...rest, ...(system !== undefined && { system: [system] }) }, leaky)
  const needs = neededBy({ ...rest, ...(engine !== undefined && { engine: [engine] }) }, chosen)
  requireProcessRoom('scenarios', 1)
  // Its names are generated, so the files are run.
  if (wanted.project === 'catalogue') await ending.unlessBegun(requireCell(wanted.test))
  const sandbox = await ending.unlessBegun(chooseSandbox(options.sandbox, true, needs))
  print(headText(name, wanted.what, nameOf(chosen), sandbox))
  const settings = { system: chosen, sandbox: sandbox.kind, needs, keep: false }
  const reproduction = await ending.unlessBegun(Reproduction.start(wanted, settings))
  ending.concerns(reproduction)
  try {
    const hasWorkspace = typeof chosen === 'string'
    const exitCode = await Promise.race([
      lead({ reproduction, name, hasWorkspace }, options),
      ending.unexpected(reproduction),
    ])
    return ending.begin(exitCode)
  } catch (error) {
    await ending.begin(exitCodes.inconclusive)
    throw error
  }
}

async function requireCell(test: string): Promise<void> {
  const found = (await listCells([test])).flatMap(({ names }) => names)
  if (!found.includes(test))
    throw new UsageError(
      `No cell is called ${JSON.stringify(test)}; ${callOf('catalogue')} --list lists the names.`,
    )
}

async function lead(live: Live, { then, verbose = false }: ReproduceOptions): Promise<number> {
  const { reproduction, name, hasWorkspace } = live
  await watchBuilding(live)
  await reproduction.noteTraces()
  const picture = await reproduction.api.picture()
  print(pictureText(picture, name, verbose))
  const failed = picture.failure === undefined ? exitCodes.passed : exitCodes.inconclusive
  if (then !== undefined) {
    print(`\n$ ${then}`)
    return (await runInSandbox(reproduction.api, ['bash', '-c', then])) || failed
  }
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    if (name === 'report' && hasWorkspace) await showCleanup(live, picture.counts.settled)
    print(`\n${noTerminalText}`)
    return failed
  }
  print(`\n${hintsText({ command: callOf('shell'), picture, hasWorkspace })}\n`)
  const { isInterrupted } = await watchHeld(live)
  return isInterrupted ? signalled('SIGINT') : failed
}

/** What the cleanup makes of it, where nobody can ask for that with a key. */
async function showCleanup({ reproduction: { api } }: Live, before: Counts): Promise<void> {
  print(`\n$ ${sweepCommand.join(' ')}`)
  const { text } = await outputInSandbox(api, [...sweepCommand])
  print(text.trimEnd().split('\n').at(-1) ?? '')
  const { counts } = await api.picture()
  print(
    `\n${evidenceTable([
      ['here', before],
      ['cleaned up', counts.settled],
    ]).join('\n')}`,
  )
}

/** Ends the reproduction once, whatever ends it, and says whether something is left. */
class Ending {
  #reproduction: Reproduction | undefined
  readonly #mayHaveContainer: boolean
  #isBegun = false

  constructor(mayHaveContainer: boolean) {
    this.#mayHaveContainer = mayHaveContainer
    for (const signal of signals)
      process.on(signal, () => void this.begin(signalled(signal)).then(process.exit))
    process.on('newListener', takeSignalBack)
  }

  /** From now on there is more to end than processes. */
  concerns(reproduction: Reproduction): void {
    this.#reproduction = reproduction
  }

  /** What an ending makes fail is not reported, and what it came too late for is not gone on with. */
  async unlessBegun<T>(started: Promise<T>): Promise<T> {
    const [result] = await Promise.allSettled([started])
    if (this.#isBegun) return new Promise(() => {})
    if (result.status === 'rejected') throw result.reason
    return result.value
  }

  /** Rejects when the sandbox has ended by itself. */
  async unexpected({ ended }: Reproduction): Promise<never> {
    await ended
    // An ending that was begun reports the same.
    if (this.#isBegun) return new Promise(() => {})
    throw new CannotMeasureError(endedByItselfText)
  }

  async begin(exitCode: number): Promise<number> {
    // The first one goes on, and ends the process.
    if (this.#isBegun) return new Promise(() => {})
    this.#isBegun = true
    restoreTerminal()
    print(`\n${endingText}`)
    const { left, text } = await this.#end()
    if (left.length === 0) {
      print(text)
      return exitCode
    }
    printProblem(leftText(left))
    return exitCode === exitCodes.passed ? exitCodes.inconclusive : exitCode
  }

  async #end(): Promise<{ left: string[]; text: string }> {
    if (this.#reproduction) {
      const left = await this.#reproduction.end()
      return { left, text: goneText(this.#reproduction.seenProcesses) }
    }
    const { seen, left } = await endAllBelow()
    return { left, text: endedEarlyText(seen, this.#mayHaveContainer) }
  }
}

/** Vitest puts its own listeners beside ours, which end the process at once. */
function takeSignalBack(event: string | symbol, listener: () => void): void {
  if (signals.some(signal => signal === event))
    process.nextTick(() => process.removeListener(event, listener))
}
