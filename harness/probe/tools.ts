import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

const answerWithinMs = 5_000

/** The rig asks for little; what answers may be anybody's program. */
const longestAnswer = 64 << 20

/** Pids of the probe's own short-lived tools: they are left out of snapshots by identity. */
export const toolPids = new Set<number>()

export interface ToolResult {
  code: number
  stdout: string
  stderr: string
}

/**
 * Runs a program of the probe's own and waits for it. Not by execa: that takes three times as much of a core as to
 * start tmux, and a snapshot does little else.
 * @throws when it can not be started, was killed, answered with more than 64 MiB, or did not end within 5 s.
 */
export function runTool(file: string, args: string[]): Promise<ToolResult> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const { pid } = child
  if (pid) toolPids.add(pid)
  const command = [file, ...args].join(' ')
  const { promise, resolve, reject } = Promise.withResolvers<ToolResult>()
  const fail = (how: string) => reject(new Error(`${file} ${how}: ${command}`))
  const timer = setTimeout(() => fail(`did not answer within ${answerWithinMs / 1000} s`), answerWithinMs)
  const tooLong = () => fail(`answered with more than ${longestAnswer >> 20} MiB`)
  child.once('error', error => fail(`could not be run (${error.message})`))
  const stdout = collect(child.stdout, tooLong)
  const stderr = collect(child.stderr, tooLong)
  child.once('close', (code, signal) => {
    if (code === null) fail(`was killed with ${signal}`)
    else resolve({ code, stdout: stdout(), stderr: stderr() })
  })
  return promise.finally(() => {
    clearTimeout(timer)
    // Not waited for: a tmux client has handed its output to the server, and a server that hangs keeps it
    // open. A TERM would have the client ask that server.
    child.kill('SIGKILL')
    child.stdout?.destroy()
    child.stderr?.destroy()
    if (pid) toolPids.delete(pid)
  })
}

/**
 * The whole text once the stream has ended: a character may lie across two chunks. There is no stream where the
 * probe can open no more descriptors.
 */
function collect(stream: Readable | undefined, tooLong: () => void): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > longestAnswer) return tooLong()
    chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString()
}
