import { exitCodes, signalled } from '../report/exit-codes.ts'
import { printProblem } from '../terminal.ts'

let hasFailed = false

/**
 * From now on errors of stdout and stderr print no stack. A reader that is gone (`| head -1`) ends the command silently,
 * as SIGPIPE ends other programs; a command that listens for SIGPIPE ends by itself. Any other error, such as a full disk,
 * is reported in one sentence, and the command goes on.
 */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', reportFailure)
}

function reportFailure(error: NodeJS.ErrnoException): void {
  if (hasFailed) return
  hasFailed = true
  if (error.code === 'EPIPE') {
    if (!process.emit('SIGPIPE', 'SIGPIPE')) process.exit(signalled('SIGPIPE'))
    return
  }
  printProblem(`The output could not be written (${error.message}): the printed text is incomplete.`)
  process.once('exit', code => {
    if (code === exitCodes.passed) process.exitCode = exitCodes.inconclusive
  })
}
