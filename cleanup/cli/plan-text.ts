import type { NearMiss } from '../claims/near-misses.ts'
import { durationText } from '../platform/duration.ts'
import type { FileEntry } from '../platform/files/file-entry.ts'
import type { Plan, PlannedProcess } from '../reaper/plan.ts'
import { count, nameOf, printable, size } from './format.ts'

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

/** The steps of a cleanup, numbered. `graceMs`: the grace that its caller names. */
export function stepsText(
  { end, session, tmuxLimit, remove, claudeLeftovers, archive, handsOver, graceMs: usualMs }: Plan,
  graceMs = usualMs,
): string[] {
  const of = (role: PlannedProcess['role']) =>
    end
      .filter(one => one.role === role)
      .map(nameOf)
      .join(', ')
  const [writers, others, panes, pipePanes] = [of('producer'), of('other'), of('pane'), of('pipe-pane')]
  const readers = [of('filter'), of('log-writer')].filter(Boolean).join(', ')
  const steps = [
    handsOver && 'hand over to a process outside the agent, because this one is part of the agent',
    writers && `TERM to ${writers}, which produces the log’s lines and ends its own children`,
    others &&
      `TERM to ${others}${writers ? `, once the producer has ended or after ${durationText((graceMs * 2) / 3)}` : ''}`,
    readers &&
      `wait for ${readers}, which brings ${writers ? 'them' : 'lines'} to the log and ends by itself when its input does`,
    panes &&
      `HUP and TERM to ${panes}, which runs in the pane, after all others: its end makes the kernel send HUP to the rest of the pane`,
    pipePanes &&
      `wait for ${pipePanes}, which reads the pane, writes the log, and ends by itself when the pane does`,
    end.length > 0 &&
      `KILL, after ${durationText(graceMs)}, to those that are left, in the same order, and to what they have started since`,
    session &&
      `close the session ${printable(session.name)} by its id ${session.id} on ${session.socket}, if it is still there`,
    tmuxLimit && `ask tmux about its session, which cannot be asked now: ${tmuxLimit}`,
    ...claudeLeftovers.map(file => `remove, unless its claude does: ${fileText(file)}, because ${file.why}`),
    ...remove.map(file => `remove ${fileText(file)}`),
    ...archive.map(file => `move to archive/ ${fileText(file)}`),
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
    `    looks like it: ${one.resemblances.map(each => printable(each)).join('; ')}`,
    `    not claimed: ${one.reason}`,
  ])
}

export const fileText = ({ file, bytes, ageMs }: FileEntry): string =>
  `${printable(file, 300)} (${size(bytes)}, ${durationText(ageMs)} old)`
