import path from 'node:path'
import { type Json, readSmallJson } from '../platform/files/json.ts'
import { replaceWithin } from '../platform/files/replace-file.ts'
import { removeWithin } from '../platform/files/within.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { isStopped } from '../platform/processes/stat.ts'
import { readAlive } from '../platform/processes/table.ts'
import { daemonLock } from '../registry/layout.ts'
import { type World, whereIsNow, worldIn } from '../registry/world.ts'

/** The content of registry/health.json, by which a daemon reports to monitors that read files. Times are ISO 8601. */
export interface Health {
  pid: number
  /** The start time in clock ticks since boot, which with the pid identifies the process. */
  start: number
  /** Where that pid means the daemon: another container may share the workspace. Absent without /proc. */
  runs_on?: World
  started_at: string
  /** The wall-clock time of the last heartbeat. */
  heartbeat_at: string
  state: 'ok' | 'degraded'
  /** Why the daemon is degraded, in sentences; empty when it is ok. */
  reasons: string[]
  workspaces: string[]
  /** Agents whose end is recorded and whose cleanup is not done. */
  pending: number
}

/** The daemon of a workspace, by the files in registry/. */
export interface DaemonFigures {
  /** The running process that holds the workspace's lock. */
  pid?: number
  /** True when that process is stopped (SIGSTOP, a debugger), and does nothing until it is continued. */
  stopped?: true
  /** The last report of a daemon. */
  health?: Health
  /** Where the daemon of that report runs, if it cannot be seen from here. */
  elsewhere?: string
  /** True when that report is recent, and its process runs or cannot be seen from here. */
  fresh: boolean
}

/** The age in ms at which a heartbeat no longer counts. A daemon writes one every 10 s. */
const MAX_AGE_MS = 45_000

export const healthFile = (workspace: string): string => path.join(workspace, 'registry', 'health.json')

/** Replaces a workspace's health file atomically. Only the daemon that holds the lock does. Throws file system errors. */
export function writeHealth(workspace: string, health: Health): void {
  replaceWithin(workspace, healthFile(workspace), `${JSON.stringify(health, null, 2)}\n`)
}

/** For a clean stop: a health file that stays proves that its daemon was killed. */
export function removeHealth(workspace: string): void {
  removeWithin(workspace, healthFile(workspace))
}

/** The last report of a workspace's daemon; undefined when there is none, or not a valid one. */
export function readHealth(workspace: string): Health | undefined {
  const found = readJson(workspace, healthFile(workspace))
  return found && isHealth(found) ? found : undefined
}

/**
 * True when a report is recent, and its process runs and is not stopped, or cannot be seen from here. A report from the
 * future is not recent: the clock was changed, and the next heartbeat follows within seconds. A fresh report may still
 * say `degraded`.
 */
export function isFresh(health: Health, nowMs: number): boolean {
  const ageMs = nowMs - Date.parse(health.heartbeat_at)
  if (!(ageMs >= -1_000 && ageMs <= MAX_AGE_MS)) return false
  if (placeElsewhere(health) !== undefined) return true
  const process = readAlive(health)
  return process !== undefined && !isStopped(process)
}

/** Where a daemon runs that cannot be seen from here, in words; undefined when it can be. */
function placeElsewhere({ runs_on }: Health): string | undefined {
  const world = worldIn(runs_on)
  const found = world && whereIsNow(world)
  return found?.is === 'elsewhere' ? found.where : undefined
}

/** Reads only files and takes no lock, so that it never disturbs a daemon. */
export function readDaemon(workspace: string, nowMs: number): DaemonFigures {
  const health = readHealth(workspace)
  const holder = readJson(workspace, daemonLock(workspace))
  const process = holder && isIdentity(holder) ? readAlive(holder) : undefined
  const elsewhere = health && placeElsewhere(health)
  return {
    ...(process && { pid: process.pid }),
    ...(process && isStopped(process) && { stopped: true }),
    ...(health && { health }),
    ...(elsewhere !== undefined && { elsewhere }),
    fresh: health !== undefined && isFresh(health, nowMs),
  }
}

const isIdentity = (value: Json): value is Json & Identity =>
  Number.isSafeInteger(value.pid) && Number.isSafeInteger(value.start)

function isHealth(value: Json): value is Json & Health {
  const { started_at, heartbeat_at, state, reasons, workspaces, pending } = value
  const texts = [started_at, heartbeat_at, ...(Array.isArray(reasons) ? reasons : [undefined])]
  return (
    isIdentity(value) &&
    texts.every(text => typeof text === 'string') &&
    (state === 'ok' || state === 'degraded') &&
    Array.isArray(workspaces) &&
    workspaces.every(workspace => typeof workspace === 'string') &&
    Number.isSafeInteger(pending)
  )
}

function readJson(workspace: string, file: string): Json | undefined {
  try {
    return readSmallJson(workspace, file)
  } catch {
    return undefined
  }
}
