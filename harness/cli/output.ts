import { exitCodes, signalled } from '../report/exit-codes.ts'

let isLost = false

/**
 * From here on an output that cannot be written is no stack. A reader that is gone (`| head -1`) ends the command
 * quietly, as SIGPIPE ends other programs; a command that listens for SIGPIPE ends by itself. Anything else, such as a full
 * disk, is reported in one sentence, and the command goes on.
 */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', lose)
}

function lose(error: NodeJS.ErrnoException): void {
  if (isLost) return
  isLost = true
  if (error.code === 'EPIPE') {
    if (!process.emit('SIGPIPE', 'SIGPIPE')) process.exit(signalled('SIGPIPE'))
    return
  }
  console.error(`leakrig: The output could not be written (${error.message}): what is printed is not whole.`)
  process.once('exit', code => {
    if (code === exitCodes.passed) process.exitCode = exitCodes.inconclusive
  })
}
