import type { NearMiss } from '../claims/near-misses.ts'
import { durationText, waitText } from '../platform/duration.ts'
import type { FileEntry } from '../platform/files/file-entry.ts'
import type { Plan, PlannedProcess } from '../reaper/plan.ts'
import { count, nameOf, printable, resemblancesText, size } from './format.ts'

/** The claimed processes as a tree, each with its evidence. */
export function treeText({ end }: Plan): string[] {
  const pids = new Set(end.map(({ pid }) => pid))
  const memory = end.reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0)
  const roots = end.filter(({ ppid }) => !pids.has(ppid)).sort((a, b) => a.pid - b.pid)
  const head =
    end.length === 0
      ? 'claimed: no process'
      : `claimed (${count(end.length, 'process', 'processes')}, ${size(memory)}):`
  return [head, ...roots.flatMap(root => branch(root, end, '  '))]
}

function branch(process: PlannedProcess, all: readonly PlannedProcess[], indent: string): string[] {
  const why = process.evidence.map(({ kind, detail }) => `${kind}: ${printable(detail)}`).join('; ')
  const line = `${indent}${nameOf(process)} (${durationText(process.ageMs)}) ${printable(process.command)}`
  const below = all.filter(({ ppid }) => ppid === process.pid).sort((a, b) => a.pid - b.pid)
  return [line, `${indent}  because ${why}`, ...below.flatMap(child => branch(child, all, `${indent}    `))]
}

/** Some processes by their names, with the form of a verb that agrees with their number; undefined for none. */
function named(all: readonly PlannedProcess[]) {
  if (all.length === 0) return undefined
  return {
    names: all.map(nameOf).join(', '),
    are: (one: string, many: string) => (all.length === 1 ? one : many),
  }
}

/** The last step of a cleanup of an agent that a registry lists. */
export const RECORDED_END = 'write the end of the agent and of its cleanup into both registries'

/** The steps of a cleanup, numbered. `graceMs`: the grace that its caller names. `last`: a step that the plan does not hold. */
export function stepsText(
  { end, session, tmuxLimit, remove, claudeLeftovers, archive, handsOver, graceMs: usualMs }: Plan,
  graceMs = usualMs,
  last = '',
): string[] {
  const of = (...roles: PlannedProcess['role'][]) => named(end.filter(({ role }) => roles.includes(role)))
  const [writers, others, panes, pipePanes] = [of('producer'), of('other'), of('pane'), of('pipe-pane')]
  const readers = of('filter', 'log-writer')
  const steps = [
    handsOver && 'hand over to a process outside the agent, because this one is part of the agent',
    writers &&
      `TERM to ${writers.names}, which ${writers.are('produces the log’s lines and ends its own children', 'produce the log’s lines and end their own children')}`,
    others &&
      `TERM to ${others.names}${writers ? `, once ${writers.are('the producer has', 'the producers have')} ended or after ${waitText((graceMs * 2) / 3)}` : ''}`,
    readers &&
      `wait for ${readers.names}, which ${readers.are('brings', 'bring')} ${writers ? 'them' : 'lines'} to the log and ${readers.are('ends by itself when its', 'end by themselves when their')} input does`,
    panes &&
      `HUP and TERM to ${panes.names}, which ${panes.are('runs in the pane, after all others: its', 'run in the pane, after all others: their')} end makes the kernel send HUP to the rest of the pane`,
    pipePanes &&
      `wait for ${pipePanes.names}, which ${pipePanes.are('reads the pane, writes the log, and ends by itself', 'read the pane, write the log, and end by themselves')} when the pane does`,
    end.length > 0 &&
      `KILL, after ${waitText(graceMs)}, to those that are left, in the same order, and to what they have started since`,
    session &&
      `close the session ${printable(session.name)} by its id ${session.id} on ${session.socket}, if it is still there`,
    tmuxLimit && `ask tmux about its session, which cannot be asked now: ${tmuxLimit}`,
    ...claudeLeftovers.map(file => `remove, unless its claude does: ${fileText(file)}, because ${file.why}`),
    ...remove.map(file => `remove ${fileText(file)}`),
    ...archive.map(file => `move to archive/ ${fileText(file)}`),
    last,
  ].filter(step => typeof step === 'string' && step !== '')
  return steps.map((step, n) => `  ${n + 1}. ${step}`)
}

/** What a cleanup does not touch. */
export const staysText = ({ stays }: Plan): string[] =>
  stays.map(what => `  stays: ${printable(what, 1_000)}`)

/** The near misses: what looks like an agent's, and why it is not claimed. */
export function nearMissesText(all: readonly NearMiss[]): string[] {
  return all.flatMap(one => [
    `  ${nameOf(one)} ${printable(one.command)}`,
    `    looks like it: ${resemblancesText(one.resemblances)}`,
    `    not claimed: ${one.reason}`,
  ])
}

export const fileText = ({ file, bytes, ageMs }: FileEntry): string =>
  `${printable(file, 300)} (${size(bytes)}, ${durationText(ageMs)} old)`
