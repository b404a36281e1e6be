import path from 'node:path'
import { type Json, readSmallJson } from '../platform/files/json.ts'
import { replaceWithin } from '../platform/files/replace-file.ts'
import { removeWithin } from '../platform/files/within.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { isStopped } from '../platform/processes/stat.ts'
import { readAlive } from '../platform/processes/table.ts'
import { daemonLock } from '../registry/layout.ts'
import type { DaemonFigures } from './measurement.ts'

/** What a daemon says of itself in registry/health.json, for monitors that read files. Times are ISO 8601. */
export interface Health {
  pid: number
  /** With the pid, its identity: the start time in clock ticks since boot. */
  start: number
  started_at: string
  /** Of the last round, by the wall clock. */
  heartbeat_at: string
  state: 'ok' | 'degraded'
  /** Why it is degraded, in sentences; empty when it is ok. */
  reasons: string[]
  workspaces: string[]
  /** Agents whose end is on disk and whose cleanup is not done. */
  pending: number
}

/** How old a heartbeat may be, in ms, before its daemon counts as stuck. It is written every 10 s. */
const HEALTH_MAX_AGE_MS = 45_000

export const healthFile = (workspace: string): string => path.join(workspace, 'registry', 'health.json')

/** Replaces a workspace's health file as a whole. Only its daemon does, which holds the workspace's lock. Throws what the disk does. */
export function writeHealth(workspace: string, health: Health): void {
  replaceWithin(workspace, healthFile(workspace), `${JSON.stringify(health, null, 2)}\n`)
}

/** After a clean stop there is none; one that is left tells of a daemon that was killed. */
export function removeHealth(workspace: string): void {
  removeWithin(workspace, healthFile(workspace))
}

/** What a daemon last said, undefined when there is nothing whole. */
export function readHealth(workspace: string): Health | undefined {
  const found = readJson(workspace, healthFile(workspace))
  return found && isHealth(found) ? found : undefined
}

/**
 * True when a daemon said so recently and its very process runs: one that somebody has stopped does not. A time in the future is not recent: the clock was
 * moved, and the next heartbeat, which comes within seconds, settles it. `ok` is another question: see `state`.
 */
export function isFresh(health: Health, nowMs: number = Date.now(), maxAgeMs = HEALTH_MAX_AGE_MS): boolean {
  const ageMs = nowMs - Date.parse(health.heartbeat_at)
  const process = readAlive(health)
  return ageMs >= -1_000 && ageMs <= maxAgeMs && process !== undefined && !isStopped(process)
}

/** Who watches a workspace. Takes no lock, so that a look is never in a daemon's way. */
export function readDaemon(workspace: string, nowMs: number): DaemonFigures {
  const health = readHealth(workspace)
  const holder = readJson(workspace, daemonLock(workspace))
  const process = holder && isIdentity(holder) ? readAlive(holder) : undefined
  return {
    ...(process && { pid: process.pid }),
    ...(process && isStopped(process) && { stopped: true }),
    ...(health && { health }),
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
