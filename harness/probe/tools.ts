import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'

const answerWithinMs = 5_000

/** Pids of the probe's own short-lived tools: they are left out of snapshots by identity. */
export const toolPids = new Set<number>()

export interface ToolResult {
  code: number
  stdout: string
  stderr: string
}

/**
 * Runs a program of the probe's own and waits for it.
 * @throws when it can not be started, or did not end within 5 s.
 */
export async function runTool(file: string, args: string[]): Promise<ToolResult> {
  const child = execa(file, args, { reject: false, stdin: 'ignore', stripFinalNewline: false })
  const { pid } = child
  if (pid) toolPids.add(pid)
  const timer = new AbortController()
  try {
    const result = await Promise.race([child, tooLate(timer.signal)])
    if (!result)
      throw new Error(
        `${file} did not answer within ${answerWithinMs / 1000} s: ${[file, ...args].join(' ')}`,
      )
    if (result.exitCode === undefined)
      throw new Error(
        result.signal
          ? `${file} was killed with ${result.signal}: ${[file, ...args].join(' ')}`
          : (result.shortMessage ?? `${file} could not be run`),
      )
    return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr }
  } finally {
    timer.abort()
    // Not waited for: a tmux client has handed its output to the server, and a server that hangs keeps it
    // open. A TERM would have the client ask that server.
    child.kill('SIGKILL')
    if (pid) toolPids.delete(pid)
  }
}

/** Resolves with nothing when the time is up; an aborted wait never resolves. */
async function tooLate(signal: AbortSignal): Promise<undefined> {
  await delay(answerWithinMs, undefined, { signal }).catch(() => new Promise(() => {}))
}
