import { callOf } from '../../../bin/programs.ts'
import { CannotMeasureError } from '../../errors.ts'
import { placeText, runningText, silentText } from '../../report/reproduction-text.ts'
import { connectTo, type Running, runningReproductions } from '../../reproduction/connect.ts'
import { oneLine, printProblem } from '../../terminal.ts'
import { UsageError } from '../exit.ts'
import { relay, runInSandbox } from './relay.ts'

type Found = Awaited<ReturnType<typeof runningReproductions>>

/**
 * Opens a shell in the sandbox of a reproduction that runs, or runs one command there. Its exit code.
 * @param name what the reproduction is called, or the pid of its command; may be left out where there is one
 * @throws UsageError where there is none, or several of that name, and without a terminal
 * @throws CannotMeasureError where none of that name answers, but there is one that does not answer
 */
export async function runShell(name: string | undefined, { command }: { command?: string }): Promise<number> {
  const { file, about } = choose(await runningReproductions(), name)
  if (command === undefined && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new UsageError('A shell needs a terminal: run one command with -c COMMAND.')
  using connection = await connectTo(file)
  if (!connection) throw new CannotMeasureError('The reproduction has just ended.')
  const { api } = connection
  // Standard output is the command's.
  printProblem(`${placeText(about)}${command === undefined ? '; `exit` leaves it' : ''}`)
  // Not the promise: the connection would be closed at once.
  return await (command === undefined ? relay(api) : runInSandbox(api, ['bash', '-c', command]))
}

function choose({ running, silent }: Found, name: string | undefined): Running {
  const list = [
    ...running.map(({ about }) => runningText(about)),
    ...silent.map(pid => `one that does not answer (pid ${pid})`),
  ].join(', ')
  if (running.length === 0 && silent.length === 0)
    throw new UsageError(
      `No reproduction runs: start one in another terminal, with "${callOf('reproduce')} NAME".`,
    )
  const found = running.filter(
    ({ about }) => name === undefined || [about.name, String(about.pid)].includes(name),
  )
  const [first, ...others] = found
  // One that does not answer may have any name.
  const mute = silent.filter(pid => !/^\d+$/.test(name ?? '') || name === String(pid))
  if (!first && mute.length > 0) throw new CannotMeasureError(silentText(mute))
  if (!first)
    throw new UsageError(`No reproduction is called ${oneLine(JSON.stringify(name))}; there are ${list}.`)
  if (others.length > 0)
    throw new UsageError(
      `${found.length} reproductions run: choose one by its name or its pid, as in "${callOf('shell')} ${first.about.pid}". There are ${list}.`,
    )
  return first
}
