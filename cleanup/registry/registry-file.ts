import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CleanupError, messageOf, systemCode, withoutStop } from '../errors.ts'
import { isJson, type Json } from '../platform/files/json.ts'
import { adviceFor, readWithin } from '../platform/files/regular-file.ts'
import { replaceWithin } from '../platform/files/replace-file.ts'
import { exactStatAt, statAt } from '../platform/files/stat-at.ts'
import { decodeUtf8, parseJson } from '../platform/json/parse.ts'
import { rewrite } from '../platform/json/rewrite.ts'
import { globalRegistry, workspaceOfFile } from './layout.ts'
import { lock, lockFileOf, REGISTRY_BYTE } from './locks.ts'
import { withSetAside } from './set-aside.ts'

/** Turns parsed JSON into a registry, or returns in words what is wrong with it. */
type Parse<T> = (value: Json) => T | string

/** How one kind of registry is parsed, and which of its fields are derived from the others before each write. */
export interface RegistryFormat<T> {
  parse: Parse<T>
  derive: (registry: T) => void
}

/** How long a change waits for the lock while the registry does not change, in ms. A holder needs a few ms for its write. */
export const LOCK_WAIT_MS = 10_000

/** Reads a registry. Throws a CleanupError (`registry-unreadable`) for anything but a whole registry. */
export function readJson<T>(file: string, parse: Parse<T>): T {
  return parseText(file, readText(file), parse)
}

function parseText<T>(file: string, text: string, parse: Parse<T>): T {
  const found = orUnreadable(file, () => parseJson(text), correction(file))
  const registry = isJson(found) ? parse(found) : 'it is not an object'
  if (typeof registry === 'string') throw unreadable(file, `it is JSON, but ${registry}`, correction(file))
  return registry
}

const cache = new Map<string, { version: string; registry: unknown }>()

/** How many parsed registries are cached: a daemon that runs for months reads a new one for every task. */
const CACHE_SIZE = 8

/**
 * `readJson` for callers that only read, such as a loop over the agents of one registry: a registry is parsed again only
 * when its file has changed. The returned object is shared and must not be modified.
 */
export function readSharedJson<T>(file: string, parse: Parse<T>): T {
  const version = fingerprint(file)
  const cached = cache.get(file)
  if (version !== undefined && cached?.version === version) return cached.registry as T
  const registry = readJson(file, parse)
  // A Map iterates in insertion order: deleting first moves the file to the end, where the newest entries are.
  cache.delete(file)
  if (version !== undefined) cache.set(file, { version, registry })
  for (const oldest of [...cache.keys()].slice(0, -CACHE_SIZE)) cache.delete(oldest)
  return registry
}

/** A text that changes whenever the file does: its device, inode, size and times. Undefined when there is no file. */
export function fingerprint(file: string): string | undefined {
  const stat = exactStatAt(file)
  return stat && [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ')
}

interface Change<T> {
  apply: (registry: T) => void
  resolve: () => void
  reject: (error: unknown) => void
}

const waiting = new Map<string, Change<never>[]>()

/**
 * Changes a registry: reads it, applies the change and replaces the file, all under the lock. Changes that are requested
 * during a write share the next one, so a hundred at once cost a few writes, not a hundred. Every byte outside the changed
 * values stays as it was. When `apply` throws, its promise rejects with that error and the registry keeps no trace of it;
 * the other changes are written. Rejects with a CleanupError (`registry-unreadable`, `registry-unwritable`, `lock-held`).
 */
export function changeJson<T extends object>(
  file: string,
  format: RegistryFormat<T>,
  apply: (registry: T) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const change: Change<T> = { apply, resolve, reject }
    const queue = waiting.get(file) as Change<T>[] | undefined
    if (queue) queue.push(change)
    else {
      const started: Change<T>[] = [change]
      waiting.set(file, started as Change<never>[])
      void drain(file, format, started)
    }
  })
}

/**
 * The earliest time of each registry's next write, in ms of performance.now(). The pause after a write lets more changes
 * collect for the next one.
 */
const nextWrite = new Map<string, number>()

/** The length of that pause, as a multiple of the last write: writing a registry of a thousand agents takes many ms. */
const PAUSE_PER_WRITE = 4
/** The longest pause in ms, for a slow disk, and what each MB of the registry adds to it, because every write parses it all. */
const LONGEST_PAUSE_MS = 40
const PAUSE_MS_PER_MB = 60

async function drain<T extends object>(
  file: string,
  format: RegistryFormat<T>,
  queue: Change<T>[],
): Promise<void> {
  while (queue.length > 0) {
    let batch: Change<T>[] = []
    const pauseMs = (nextWrite.get(file) ?? 0) - performance.now()
    if (pauseMs > 0) await sleep(pauseMs)
    try {
      using _ = await lock(lockFileOf(file), REGISTRY_BYTE, LOCK_WAIT_MS, () => fingerprint(file))
      batch = queue.splice(0)
      const start = performance.now()
      writeBatch(file, format, batch)
      const end = performance.now()
      nextWrite.set(file, end + Math.min(PAUSE_PER_WRITE * (end - start), longestPauseMs(file)))
    } catch (error) {
      for (const change of [...batch, ...queue.splice(0)]) change.reject(failureOf(file, error))
    }
  }
  waiting.delete(file)
  for (const [other, at] of nextWrite) if (at < performance.now()) nextWrite.delete(other)
}

function longestPauseMs(file: string): number {
  const bytes = statAt(file)?.size ?? 0
  return LONGEST_PAUSE_MS + (PAUSE_MS_PER_MB * bytes) / (1 << 20)
}

/** How often a write starts over because a program that ignores the lock wrote in between. After that, our version wins. */
const TRIES = 20

function writeBatch<T extends object>(
  file: string,
  format: RegistryFormat<T>,
  batch: Change<T>[],
  tries = TRIES,
): void {
  const version = fingerprint(file)
  const text = readText(file)
  const registry = parseText(file, text, format.parse)
  const failed = batch.find(change => !isApplied(change, registry))
  // The failed change may have modified the registry before it threw: start over without it.
  if (failed) batch.splice(batch.indexOf(failed), 1)
  else format.derive(registry)
  const isUnchanged = () => tries === 0 || fingerprint(file) === version
  const write = (): boolean => {
    const before = parseText(file, text, format.parse)
    const next = rewrite(text, withSetAside(before), withSetAside(registry))
    return replaceWithin(workspaceOfFile(file), file, next, isUnchanged)
  }
  if (failed || (batch.length > 0 && !write())) writeBatch(file, format, batch, failed ? tries : tries - 1)
  else for (const change of batch) change.resolve()
}

function isApplied<T>(change: Change<T>, registry: T): boolean {
  try {
    change.apply(registry)
    return true
  } catch (error) {
    change.reject(error)
    return false
  }
}

/** The largest registry that is read, in bytes. One of a thousand agents has about a million. */
const REGISTRY_BYTES = 1 << 26

/** The text of a registry. Throws a CleanupError (`registry-unreadable`). */
export function readText(file: string): string {
  const bytes = orUnreadable(file, () => readWithin(workspaceOfFile(file), file, REGISTRY_BYTES))
  if (bytes === undefined) throw unreadable(file, 'there is no such file')
  return orUnreadable(file, () => decodeUtf8(bytes), correction(file))
}

function orUnreadable<T>(file: string, read: () => T, advice?: string): T {
  try {
    return read()
  } catch (error) {
    // This one is about the whole workspace, and its message says so.
    if (error instanceof CleanupError && error.code === 'not-the-owner') throw error
    const found = adviceFor(error)
    throw unreadable(
      file,
      withoutStop(messageOf(error)),
      found === undefined ? advice : `${found}, then try again`,
    )
  }
}

/** An error of a change, with a sentence around the system's own: no folder, no room, no permission. */
function failureOf(file: string, error: unknown): unknown {
  const code = error instanceof CleanupError ? undefined : systemCode(error)
  if (code === undefined) return error
  // The lock file lies beside the registry, so a missing folder means a missing registry.
  if (code === 'ENOENT') return unreadable(file, 'its folder does not exist')
  return new CleanupError(
    'registry-unwritable',
    `The registry ${file} could not be written: ${messageOf(error)}. It is unchanged; make room or grant permission, then try again.`,
    { cause: error },
  )
}

function unreadable(file: string, why: string, advice = 'restore the file, then try again'): CleanupError {
  return new CleanupError(
    'registry-unreadable',
    `The registry ${file} could not be read: ${why}. Nothing that depends on it was ended or deleted; ${advice}.`,
  )
}

/** What to do about a registry whose text is wrong. */
function correction(file: string): string {
  const global = globalRegistry(workspaceOfFile(file))
  const lost =
    file === global
      ? "the tasks' registries have what it repeats, and its orchestrator makes a new one"
      : `its agents are then not listed${fs.existsSync(global) ? `, and ${global} still has their statuses` : ''}`
  return `correct it there, or put a copy in its place. Without a copy, rename it to ${path.basename(file)}.broken: ${lost}`
}
