import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Claim, Claims } from '../claims/evidence.ts'
import type { Scene } from '../claims/scene.ts'
import { words } from '../errors.ts'
import { readWholeEnvironment } from '../processes/environment.ts'
import { descriptorTarget } from '../processes/open-files.ts'
import { readProc } from '../processes/proc-file.ts'
import { hasEnded } from '../processes/stat.ts'
import { readProcess } from '../processes/table.ts'
import { isJson } from '../workspace/registry-file.ts'
import { backgroundTasks, sessionIdOf } from '../workspace/stream-log.ts'
import type { CleanUpReport, Log } from './report.ts'
import { findTemporary } from './temporary-files.ts'

/**
 * What can only be learned while the agent's processes live: where its claude keeps the files that it removes on a
 * clean exit and leaves after a crash.
 */
export interface Residue {
  homes: Set<string>
  /** Where claude puts its sockets and task output: CLAUDE_CODE_TMPDIR, or /tmp. */
  bases: Set<string>
  /** The session that the agent's own log names. The environment is no proof: it may be that of the user's claude. */
  sessionId: string | undefined
  /** Pids of the agent's claude. */
  pids: Set<number>
  /** Shell snapshots and task outputs that the agent's processes use, and what by its time can only be theirs. */
  inUse: string[]
  /** What may be the agent's or another claude's. */
  doubtful: string[]
}

/** Notes it, before anything is ended. */
export function noteResidue(scene: Scene, claims: Claims): Residue {
  const sessionId = sessionIdOf(scene.log)
  const residue: Residue = {
    homes: new Set(),
    bases: new Set(),
    sessionId,
    pids: new Set(),
    inUse: [],
    doubtful: [],
  }
  const inBackground = backgroundTasks(scene.log)
  for (const { process } of claims.claimed.values()) {
    const environment = readWholeEnvironment(process.pid)
    const home = environment?.get('HOME')
    if (home) residue.homes.add(home)
    residue.bases.add(environment?.get('CLAUDE_CODE_TMPDIR') || '/tmp')
    if (process.comm === 'claude') residue.pids.add(process.pid)
    residue.inUse.push(...snapshotsNamedBy(process.pid))
    const output = descriptorTarget({ pid: process.pid, fd: 1 }) ?? ''
    if (isTaskOutput(output, sessionId) && !inBackground.has(path.parse(output).name))
      residue.inUse.push(output)
  }
  if (residue.homes.size === 0) residue.homes.add(os.homedir())
  if (residue.bases.size === 0) residue.bases.add('/tmp')
  const { own, doubtful } = findTemporary(scene, claims, residue.homes, residue.bases)
  residue.inUse.push(...own)
  residue.doubtful = doubtful.filter(file => !residue.inUse.includes(file))
  return residue
}

/**
 * Removes what claude left behind because it was killed. Only what provably is this agent's: files that carry the
 * pid of its dead claude, or the session that its log names, and what its processes had in use.
 */
export function removeResidue(
  residue: Residue,
  claims: ReadonlyMap<number, Claim>,
  report: CleanUpReport,
  log: Log,
): void {
  for (const home of residue.homes) {
    const folder = path.join(home, '.claude', 'sessions')
    for (const pid of deadClaudes(folder, residue)) {
      const keys = list(folder).filter(name => name.startsWith(`${pid}.`) && name.endsWith('.key'))
      const sockets = [...residue.bases].map(base => path.join(base, 'cc-socks', `${pid}.sock`))
      // The record last: while it is there, a cleaner that goes on after us still finds the others.
      const record = path.join(folder, `${pid}.json`)
      for (const file of [...keys.map(name => path.join(folder, name)), ...sockets, record])
        remove(file, report, log)
    }
  }
  const all = [...claims.values()].every(({ process }) => isDead(process.pid))
  for (const file of all ? new Set(residue.inUse) : []) remove(file, report, log)
  for (const home of all ? residue.homes : [])
    for (const folder of teamFolders(home, residue.sessionId)) remove(folder, report, log)
  const left = residue.doubtful.filter(file => fs.existsSync(file))
  if (left.length > 0)
    report.notes.push(
      `${left.join(', ')} may be of the agent's claude or of another one that runs, and stayed: nothing in it says whose it is.`,
    )
}

/** The folders of the teams that the agent's session leads: they block the team's name for whoever comes next. */
function teamFolders(home: string, sessionId: string | undefined): string[] {
  const teams = path.join(home, '.claude', 'teams')
  const led = list(teams).filter(
    name =>
      sessionId !== undefined &&
      readRecord(path.join(teams, name, 'config.json')).leadSessionId === sessionId,
  )
  // The configuration says whose the others are, so it goes last.
  return led.flatMap(name => [path.join(home, '.claude', 'tasks', name), path.join(teams, name)])
}

/** The pids in a folder of session records that are this agent's and of which no process is left. */
function deadClaudes(folder: string, { pids, sessionId }: Residue): number[] {
  return list(folder).flatMap(name => {
    const pid = Number(/^(\d+)\.json$/.exec(name)?.[1])
    if (!Number.isInteger(pid) || !isDead(pid)) return []
    const record = readRecord(path.join(folder, name))
    const isOurs = pids.has(pid) || (sessionId !== undefined && record.sessionId === sessionId)
    return isOurs && record.pid === pid ? [pid] : []
  })
}

/** The number must be nobody's at all: a process that has it now may be a new claude with a record of its own. */
function isDead(pid: number): boolean {
  const now = readProcess(pid)
  return now === undefined || hasEnded(now)
}

function readRecord(file: string): Record<string, unknown> {
  try {
    const record: unknown = JSON.parse(fs.readFileSync(file, 'utf8'))
    return isJson(record) ? record : {}
  } catch {
    return {}
  }
}

/** The snapshots of the shell's state that a Bash tool's command line begins with: `source <snapshot> && ...`. */
function snapshotsNamedBy(pid: number): string[] {
  const bytes = readProc(`/proc/${pid}/cmdline`)
  if (typeof bytes === 'string') return []
  const found = /^(?:[^\0]*\0)+?source '?(\/[^\0']*\/\.claude\/shell-snapshots\/snapshot-[\w.-]+\.sh)/.exec(
    bytes.toString('utf8'),
  )
  return found?.[1] ? [found[1]] : []
}

function isTaskOutput(file: string, sessionId: string | undefined): boolean {
  return sessionId !== undefined && file.includes(`/${sessionId}/tasks/`) && file.endsWith('.output')
}

function list(folder: string): string[] {
  try {
    return fs.readdirSync(folder)
  } catch {
    return []
  }
}

function remove(file: string, report: CleanUpReport, log: Log): void {
  if (!fs.lstatSync(file, { throwIfNoEntry: false })) return
  log({ event: 'remove', file })
  try {
    fs.rmSync(file, { recursive: true })
    report.removed.push(file)
  } catch (error) {
    report.notes.push(`${file}, which the agent's claude left behind, could not be removed: ${words(error)}.`)
  }
}
