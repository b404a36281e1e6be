import { callOf } from '../../../bin/programs.ts'
import { CannotMeasureError } from '../../errors.ts'
import { exitCodes, signalled } from '../../report/exit-codes.ts'
import {
  endedByItselfText,
  endingText,
  evidenceTable,
  goneText,
  headText,
  hintsText,
  leftText,
  lostLogsText,
  noTerminalText,
  pictureText,
  sweepCommand,
} from '../../report/reproduction-text.ts'
import type { SandboxChoice } from '../../sandbox/sandbox.ts'
import { chooseSandbox } from '../../sandbox/start.ts'
import { print, printAside, printProblem } from '../../terminal.ts'
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
  // The output of a command is its own.
  const say = options.then === undefined ? print : printAside
  const ending = new Ending(say)
  const { system, engine, ...rest } = options
  const chosen = await chosenSystem({ ...rest, ...(system !== undefined && { system: [system] }) }, leaky)
  const needs = neededBy({ ...rest, ...(engine !== undefined && { engine: [engine] }) }, chosen)
  requireProcessRoom('scenarios', 1)
  // Its names are generated, so the files are run.
  if (wanted.project === 'catalogue') await requireCell(wanted.test)
  const sandbox = await chooseSandbox(options.sandbox, true, needs)
  say(headText(name, wanted.what, nameOf(chosen), sandbox))
  const reproduction = await Reproduction.start(wanted, {
    system: chosen,
    sandbox: sandbox.kind,
    needs,
    keep: false,
  })
  ending.concerns(reproduction)
  try {
    const hasWorkspace = typeof chosen === 'string'
    const exitCode = await Promise.race([
      lead({ reproduction, name, hasWorkspace, say }, options),
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
  const { reproduction, name, hasWorkspace, say } = live
  const { isInterrupted: isLeftEarly } = await watchBuilding(live)
  if (isLeftEarly) return signalled('SIGINT')
  await reproduction.noteTraces()
  const picture = await reproduction.api.picture()
  say(pictureText(picture, name, verbose))
  const failed = picture.failure === undefined ? exitCodes.passed : exitCodes.inconclusive
  if (then !== undefined) {
    say(`\n$ ${then}`)
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
  const last = text.trimEnd().split('\n').at(-1) ?? ''
  print([last, ...lostLogsText(last)].join('\n'))
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
  #isBegun = false
  readonly #say: typeof print

  constructor(say: typeof print) {
    this.#say = say
    this.#listen()
  }

  /** From now on there is something to end. Vitest has put its own listeners beside ours, which end the process at once. */
  concerns(reproduction: Reproduction): void {
    this.#reproduction = reproduction
    for (const signal of signals) process.removeAllListeners(signal)
    this.#listen()
  }

  #listen(): void {
    for (const signal of signals)
      process.on(signal, () => void this.begin(signalled(signal)).then(process.exit))
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
    this.#say(`\n${endingText}`)
    // What is being started ends with this process.
    if (!this.#reproduction) return exitCode
    const left = await this.#reproduction.end()
    if (left.length === 0) {
      this.#say(goneText(this.#reproduction.seenProcesses))
      return exitCode
    }
    printProblem(leftText(left))
    return exitCode === exitCodes.passed ? exitCodes.inconclusive : exitCode
  }
}
