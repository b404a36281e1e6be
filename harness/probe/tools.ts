import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

const answerWithinMs = 5_000

/** Far more than the rig needs: the program that writes the output may be anybody's. */
const mostBytes = 64 << 20

/** Pids of the probe's own short-lived tools: they are left out of snapshots by identity. */
export const toolPids = new Set<number>()

export interface ToolResult {
  code: number
  stdout: string
  stderr: string
}

/**
 * Runs a program and waits for it. Not by execa, which costs three times as much processor time as starting tmux, and
 * snapshots do little else.
 * @throws when it cannot be started, was killed, wrote more than 64 MiB, or did not end within 5 s
 */
export function runTool(file: string, args: string[]): Promise<ToolResult> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const { pid } = child
  if (pid) toolPids.add(pid)
  const command = [file, ...args].join(' ')
  const { promise, resolve, reject } = Promise.withResolvers<ToolResult>()
  const fail = (how: string) => reject(new Error(`${file} ${how}: ${command}`))
  const timer = setTimeout(() => fail(`did not answer within ${answerWithinMs / 1000} s`), answerWithinMs)
  const tooLong = () => fail(`answered with more than ${mostBytes >> 20} MiB`)
  child.once('error', error => fail(`could not be run (${error.message})`))
  const stdout = collect(child.stdout, tooLong)
  const stderr = collect(child.stderr, tooLong)
  child.once('close', (code, signal) => {
    if (code === null) fail(`was killed with ${signal}`)
    else resolve({ code, stdout: stdout(), stderr: stderr() })
  })
  return promise.finally(() => {
    clearTimeout(timer)
    // The streams are not drained: a tmux client passes its output to the server, and a server that hangs keeps it
    // open. After a TERM the client would wait for that server.
    child.kill('SIGKILL')
    child.stdout?.destroy()
    child.stderr?.destroy()
    if (pid) toolPids.delete(pid)
  })
}

/**
 * Collects a stream; the returned function decodes all of it at once, because a character may span two chunks. There is
 * no stream when the probe has no descriptors left.
 */
function collect(stream: Readable | undefined, tooLong: () => void): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > mostBytes) return tooLong()
    chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString()
}
