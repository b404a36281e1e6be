import path from 'node:path'
import { readProc } from '../../platform/processes/proc-file.ts'
import { CLOCKS_MS, TICKS_MS } from './beginning.ts'
import { type Entry, entryIn, namesIn, openOwn } from './own-folder.ts'
import type { ClaudeFolder } from './places.ts'
import type { SessionRecord } from './records.ts'
import type { Search, SeenClaude } from './search.ts'

/** How long after its start a claude takes its snapshot of the shell, in ms. */
const SNAPSHOT_WITHIN_MS = 15_000

/** One of the agent's claudes; what carries its number is its when it was made since `sinceMs`. */
export interface OwnClaude extends SeenClaude {
  sinceMs: number | undefined
}

/** Finds the keys, the sockets and, last, the records of the agent's claudes: each carries the number of its claude. */
export function findByNumber(
  search: Search,
  claudes: readonly OwnClaude[],
  records: readonly SessionRecord[],
): void {
  const { folders, bases } = search.places
  for (const at of folders) {
    using sessions = openOwn(at.root, [at.name, 'sessions'], search.leave)
    for (const name of namesIn(sessions)) {
      const claude = claudes.find(({ pid }) => pid === Number(/^(\d+)\.[0-9a-f]+\.key$/.exec(name)?.[1]))
      const key = claude && sessions ? entryIn(sessions, name) : undefined
      if (claude && key?.kind === 'a file') take(at.root, key, claude)
    }
  }
  for (const base of bases) {
    using sockets = openOwn(base, ['cc-socks'], claudes.length > 0 ? search.leave : undefined)
    for (const claude of claudes) {
      const socket = sockets && entryIn(sockets, `${claude.pid}.sock`)
      if (socket?.kind === 'a socket' || socket?.kind === 'a file') take(base, socket, claude)
    }
  }
  // While the record is there, a cleaner that goes on after us still finds all the others.
  for (const { at, pid, entry } of records) {
    const claude = claudes.find(one => one.pid === pid)
    if (claude) take(at.root, entry, claude)
  }

  function take(root: string, entry: Entry, { pid, sinceMs }: OwnClaude): void {
    search.take(root, entry, `it carries the number of its claude ${pid}`, pid, sinceMs)
  }
}

/**
 * Finds the shell snapshots that the agent's claudes took when they began, or that a command of theirs begins with.
 * They name neither a session nor a process, so one that another claude may have taken as well stays.
 */
export function findSnapshots(search: Search, claudes: readonly OwnClaude[]): void {
  const named = snapshotsNamed(search)
  for (const at of search.places.folders) {
    using shells = openOwn(at.root, [at.name, 'shell-snapshots'], search.leave)
    for (const name of namesIn(shells)) {
      const entry = shells && entryIn(shells, name)
      if (entry?.kind !== 'a file' || !/^snapshot-[\w.-]+\.sh$/.test(name)) continue
      const why = whyTaken(entry, at)
      if (why !== undefined) search.take(at.root, entry, why, 'agent')
    }
  }

  function whyTaken(entry: Entry, { root, name }: ClaudeFolder): string | undefined {
    const takenMs = Number(/-(\d{13})-[\w-]+\.sh$/.exec(entry.file)?.[1])
    const isBeginning = ({ startedMs }: SeenClaude) =>
      [takenMs, entry.bornMs].every(ms => ms >= startedMs - CLOCKS_MS && ms <= startedMs + SNAPSHOT_WITHIN_MS)
    const isNamed = named.own.has(entry.file)
    const own = claudes.find(isBeginning)
    if (!own && !isNamed) return undefined
    const maySuit = (other: SeenClaude): boolean => {
      const isEarlier = other.startedMs <= entry.bornMs + TICKS_MS
      // Whoever names a snapshot may lie, so any claude that was there when it was taken may be the one whose it is.
      if (!own) return isEarlier
      return isNamed ? isEarlier && other.startedMs >= own.startedMs : isBeginning(other)
    }
    if (named.byOthers().has(entry.file) || search.mayBeOthers(path.join(root, name), maySuit)) {
      search.leaveDoubtful(entry)
      return undefined
    }
    return own ? 'it was taken as its claude began' : 'a command of its claude begins with it'
  }
}

/** The snapshots that commands begin with: those of the agent, and those of all others, who are asked only where it matters. */
function snapshotsNamed({ claims: { claimed }, observation }: Search) {
  const namedBy = (pids: Iterable<number>) => new Set([...pids].flatMap(pid => snapshotNamedBy(pid) ?? []))
  let others: ReadonlySet<string> | undefined
  const byOthers = (): ReadonlySet<string> => {
    others ??= namedBy([...observation.table.keys()].filter(pid => !claimed.has(pid)))
    return others
  }
  return { own: namedBy(claimed.keys()), byOthers }
}

/** The snapshot of the shell's state that a Bash tool's command line begins with: `source <snapshot> && ...`. */
function snapshotNamedBy(pid: number): string | undefined {
  const bytes = readProc(`/proc/${pid}/cmdline`)
  if (typeof bytes === 'string') return undefined
  return /^(?:[^\0]*\0)+?source '?(\/[^\0']*\/shell-snapshots\/snapshot-[\w.-]+\.sh)/.exec(
    bytes.toString('utf8'),
  )?.[1]
}
