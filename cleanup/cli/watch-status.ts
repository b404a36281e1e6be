import { setTimeout as pause } from 'node:timers/promises'
import { measure } from '../metrics/measure.ts'
import type { Measurement } from '../metrics/measurement.ts'
import { Screen } from './screen.ts'
import { changeLines, facts } from './status-changes.ts'
import { statusLines } from './status-text.ts'

export interface WatchOptions {
  all: boolean
  /** One JSON document a line, for each look that found a change, instead of a table. */
  json: boolean
  intervalMs: number
}

/**
 * Looks again and again until it is told to end (q or Ctrl-C on a terminal, SIGINT, SIGTERM, SIGHUP, or a reader that
 * leaves). On a terminal it draws the table; elsewhere it prints a line for each change. Returns the last look, or
 * undefined when it was ended before the first.
 */
export async function watch(
  workspaces: readonly string[],
  options: WatchOptions,
): Promise<Measurement | undefined> {
  const stop = new AbortController()
  const end = () => stop.abort()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, end)
  process.stdout.on('error', end)
  try {
    const isTerminal = process.stdout.isTTY && !options.json
    return await (isTerminal ? onTerminal : asLines)(workspaces, options, stop)
  } finally {
    for (const name of signals) process.off(name, end)
  }
}

async function onTerminal(
  workspaces: readonly string[],
  { all, intervalMs }: WatchOptions,
  stop: AbortController,
): Promise<Measurement | undefined> {
  const input = process.stdin.isTTY ? process.stdin : undefined
  using screen = new Screen(process.stdout, input, () => stop.abort())
  // Awaited here: the screen is to be left only then.
  return await looks(workspaces, intervalMs, stop.signal, found => {
    const time = new Date(found.atMs).toLocaleTimeString('en-GB')
    screen.draw([`leakrig status  ${time}  (${input ? 'q' : 'Ctrl-C'} ends)`, '', ...statusLines(found, all)])
  })
}

async function asLines(
  workspaces: readonly string[],
  { json, intervalMs }: WatchOptions,
  stop: AbortController,
): Promise<Measurement | undefined> {
  let before = new Map<string, string>()
  return looks(workspaces, intervalMs, stop.signal, found => {
    const now = facts(found)
    const lines = changeLines(before, now, found.atMs)
    before = now
    if (lines.length > 0) process.stdout.write(json ? `${JSON.stringify(found)}\n` : `${lines.join('\n')}\n`)
  })
}

/** Looks until it is stopped, which does not wait for a look that is under way: a tmux that hangs would hold it up. */
async function looks(
  workspaces: readonly string[],
  intervalMs: number,
  signal: AbortSignal,
  show: (found: Measurement) => void,
): Promise<Measurement | undefined> {
  const stopped = new Promise<undefined>(resolve =>
    signal.addEventListener('abort', () => resolve(undefined)),
  )
  for (let last: Measurement | undefined; ; ) {
    const found = await Promise.race([measure(workspaces), stopped])
    if (!found || signal.aborted) return last ?? found
    last = found
    show(found)
    await pause(intervalMs, undefined, { signal }).catch(() => {})
  }
}
