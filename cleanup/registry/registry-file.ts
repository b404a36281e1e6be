import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CleanupError, messageOf, systemCode } from '../errors.ts'
import { isJson, type Json, parseJson } from '../platform/files/json.ts'
import { readWithin } from '../platform/files/regular-file.ts'
import { replaceWithin } from '../platform/files/replace-file.ts'
import { workspaceOfFile } from './layout.ts'
import { lock, lockFileOf, REGISTRY_BYTE } from './locks.ts'
import { withSetAside } from './set-aside.ts'

/** Makes a registry of what was read, or says in words what is wrong with it. */
type Read<T> = (value: Json) => T | string

/** How a registry of one kind is read, and what is derived in it from the rest before it is written. */
export interface Kind<T> {
  read: Read<T>
  settle: (registry: T) => void
}

/** How long a change waits for the lock while nobody changes the registry, in ms. It is held for one write, a few ms. */
export const LOCK_WAIT_MS = 10_000

/** Reads a registry. Throws a CleanupError (`registry-unreadable`) for anything but a whole registry. */
export function readJson<T>(file: string, asRegistry: Read<T>): T {
  const text = readText(file)
  const found = attempt(file, () => parseJson(text))
  const registry = isJson(found) ? asRegistry(found) : 'it is no object'
  if (typeof registry === 'string') throw unreadable(file, `it is JSON, but ${registry}`)
  return registry
}

const parsed = new Map<string, { seen: string; registry: unknown }>()

/** How many registries are kept: a daemon that runs for months meets a new one with every task. */
const KEPT = 8

/**
 * The same for whoever only reads, many agents of one registry in a row: it is parsed once for as long as the file
 * is that very one, and one of the last few. What is returned is shared, and must not be altered.
 */
export function readSharedJson<T>(file: string, asRegistry: Read<T>): T {
  const seen = fingerprint(file)
  const known = parsed.get(file)
  if (seen !== undefined && known?.seen === seen) return known.registry as T
  const registry = readJson(file, asRegistry)
  // The end of a map is what was put there last.
  parsed.delete(file)
  if (seen !== undefined) parsed.set(file, { seen, registry })
  for (const oldest of [...parsed.keys()].slice(0, -KEPT)) parsed.delete(oldest)
  return registry
}

/** Something else for every state of a file, undefined where there is none. */
function fingerprint(file: string): string | undefined {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false, bigint: true })
  return stat && [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ')
}

interface Change<T> {
  apply: (registry: T) => void
  resolve: () => void
  reject: (error: unknown) => void
}

const waiting = new Map<string, Change<never>[]>()

/**
 * Changes a registry: read, apply, replace, all under the lock. Changes that are asked for while one is being
 * written go into the next write together, so a hundred at once cost a few writes and not a hundred.
 * A change that throws is rejected and leaves no trace; the others go through.
 */
export function changeJson<T extends object>(
  file: string,
  kind: Kind<T>,
  apply: (registry: T) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const change: Change<T> = { apply, resolve, reject }
    const queue = waiting.get(file) as Change<T>[] | undefined
    if (queue) queue.push(change)
    else {
      const started: Change<T>[] = [change]
      waiting.set(file, started as Change<never>[])
      void drain(file, kind, started)
    }
  })
}

/** When a registry may be written again: after a rest, in which more changes come together. In ms of performance.now(). */
const nextWrite = new Map<string, number>()

/** How long that rest is, as a multiple of what the last write took: a registry of a thousand agents takes many ms. */
const REST = 4
/** How long it is at most, in ms, on a disk that is slow; a registry of many MB, which is parsed whole, rests longer. */
const LONGEST_REST_MS = 40
const REST_MS_PER_MB = 60

async function drain<T extends object>(file: string, kind: Kind<T>, queue: Change<T>[]): Promise<void> {
  while (queue.length > 0) {
    let batch: Change<T>[] = []
    const restMs = (nextWrite.get(file) ?? 0) - performance.now()
    if (restMs > 0) await sleep(restMs)
    try {
      using _ = await lock(lockFileOf(file), REGISTRY_BYTE, LOCK_WAIT_MS, () => fingerprint(file))
      batch = queue.splice(0)
      const start = performance.now()
      writeBatch(file, kind, batch)
      const end = performance.now()
      nextWrite.set(file, end + Math.min(REST * (end - start), longestRestMs(file)))
    } catch (error) {
      for (const change of [...batch, ...queue.splice(0)]) change.reject(failureOf(file, error))
    }
  }
  waiting.delete(file)
  for (const [other, at] of nextWrite) if (at < performance.now()) nextWrite.delete(other)
}

function longestRestMs(file: string): number {
  const bytes = fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0
  return LONGEST_REST_MS + (REST_MS_PER_MB * bytes) / (1 << 20)
}

/** How often a write begins anew because a program that takes no lock was faster. After that, ours stands. */
const TRIES = 20

function writeBatch<T extends object>(file: string, kind: Kind<T>, batch: Change<T>[], tries = TRIES): void {
  const seen = fingerprint(file)
  const registry = readJson(file, kind.read)
  const failed = batch.find(change => !applied(change, registry))
  // The failed change may have altered the registry before it threw: start again without it.
  if (failed) batch.splice(batch.indexOf(failed), 1)
  else kind.settle(registry)
  const isStill = () => tries === 0 || fingerprint(file) === seen
  if (
    failed ||
    (batch.length > 0 && !replaceWithin(workspaceOfFile(file), file, registryText(registry), isStill))
  )
    writeBatch(file, kind, batch, failed ? tries : tries - 1)
  else for (const change of batch) change.resolve()
}

function applied<T>(change: Change<T>, registry: T): boolean {
  try {
    change.apply(registry)
    return true
  } catch (error) {
    change.reject(error)
    return false
  }
}

/** A registry as it is written: indented, because people read it. */
export const registryText = (registry: object): string =>
  `${JSON.stringify(withSetAside(registry), null, 2)}\n`

/** How long a registry may be, in bytes. One of a thousand agents has a million. */
const REGISTRY_BYTES = 1 << 26

function readText(file: string): string {
  const text = attempt(file, () => readWithin(workspaceOfFile(file), file, REGISTRY_BYTES))
  if (text === undefined) throw unreadable(file, 'there is no such file')
  return text
}

function attempt<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw isAboutMore(error) ? error : unreadable(file, messageOf(error).replace(/\.$/, ''))
  }
}

/** It concerns the whole workspace and says so. */
const isAboutMore = (error: unknown) => error instanceof CleanupError && error.code === 'not-the-owner'

/** What a change failed of, in a sentence where it is the system's: no folder, no room, no permission. */
function failureOf(file: string, error: unknown): unknown {
  const code = error instanceof CleanupError ? undefined : systemCode(error)
  if (code === undefined) return error
  // The lock file lies beside its registry: no folder for the one means that the other cannot be there either.
  if (code === 'ENOENT') return unreadable(file, 'its folder does not exist')
  return new CleanupError(
    'registry-unwritable',
    `The registry ${file} could not be written: ${messageOf(error)}. It is as it was before; make room or give permission, then try again.`,
    { cause: error },
  )
}

function unreadable(file: string, why: string): CleanupError {
  return new CleanupError(
    'registry-unreadable',
    `The registry ${file} could not be read: ${why}. Nothing was ended or deleted on the strength of it; restore the file, then try again.`,
  )
}
