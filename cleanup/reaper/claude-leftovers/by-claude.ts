import path from 'node:path'
import { folderOf } from '../../platform/processes/details.ts'
import { readProc } from '../../platform/processes/proc-file.ts'
import { CLOCKS_MS, TICKS_MS } from './beginning.ts'
import { type Entry, entryIn, namesIn, openOwn, openRoot, textIn } from './own-folder.ts'
import type { ClaudeFolder } from './places.ts'
import type { SessionRecord } from './records.ts'
import { isOurs, type LivingClaude, type Search } from './search.ts'

/** Within how many ms of its start a claude takes its snapshot of the shell. */
const SNAPSHOT_WITHIN_MS = 15_000

/** The longest path that the kernel takes (PATH_MAX), in bytes. */
const PATH_BYTES = 4_096

/** One of the agent's claudes. A file that carries its pid is its own if it was made since `sinceMs`. */
export interface OwnClaude extends LivingClaude {
  sinceMs: number | undefined
}

/** Finds the keys, the sockets and, last, the records of the agent's claudes: each carries the pid of its claude. */
export function findByPid(
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
  // Records go last: as long as they are there, a cleaner that goes on after us still finds everything else.
  for (const { at, pid, entry } of records) {
    const claude = claudes.find(one => one.pid === pid)
    if (claude) take(at.root, entry, claude)
  }

  function take(root: string, entry: Entry, { pid, sinceMs }: OwnClaude): void {
    search.take(root, entry, `it carries the pid of its claude ${pid}`, pid, sinceMs)
  }
}

/**
 * Finds the shell snapshots that the agent's claudes took when they began, or that a command of theirs begins with. A snapshot
 * names neither a session nor a process, so one that another claude may have taken stays.
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
    const isBeginning = ({ startedMs }: LivingClaude) =>
      [takenMs, entry.bornMs].every(ms => ms >= startedMs - CLOCKS_MS && ms <= startedMs + SNAPSHOT_WITHIN_MS)
    const isNamed = named.own.has(entry.file)
    const own = claudes.find(isBeginning)
    if (!own && !isNamed) return undefined
    const maySuit = (other: LivingClaude): boolean => {
      const isEarlier = other.startedMs <= entry.bornMs + TICKS_MS
      // A claude takes one snapshot and begins all its commands with it.
      if (isNamed && named.byOthers().parents.has(other.pid)) return false
      // A command may name another claude's snapshot, so any claude that ran when it was taken may be its owner.
      if (!own) return isEarlier
      return isNamed ? isEarlier && other.startedMs >= own.startedMs : isBeginning(other)
    }
    if (named.byOthers().files.has(entry.file) || search.mayBeOthers(path.join(root, name), maySuit)) {
      search.leaveDoubtful(entry)
      return undefined
    }
    return own ? 'it was taken as its claude began' : 'a command of its claude begins with it'
  }
}

/** The snapshots that commands begin with: the agent's, and those of all other processes, which are read only when needed. */
function snapshotsNamed({ claims: { claimed }, observation: { table } }: Search) {
  let others: { files: ReadonlySet<string>; parents: ReadonlySet<number> } | undefined
  /** The snapshots, and the parents of the processes whose commands begin with one. */
  const byOthers = () => {
    if (others) return others
    const found = [...table.values()]
      .filter(({ pid }) => !claimed.has(pid))
      .flatMap(({ pid, ppid }) => {
        const file = snapshotNamedBy(pid)
        return file === undefined ? [] : { file, ppid }
      })
    others = { files: new Set(found.map(({ file }) => file)), parents: new Set(found.map(one => one.ppid)) }
    return others
  }
  return { own: new Set([...claimed.keys()].flatMap(pid => snapshotNamedBy(pid) ?? [])), byOthers }
}

/** The snapshot of the shell's state that a Bash tool's command line begins with: `source <snapshot> && ...`. */
function snapshotNamedBy(pid: number): string | undefined {
  const bytes = readProc(`/proc/${pid}/cmdline`)
  if (typeof bytes === 'string') return undefined
  return /^(?:[^\0]*\0)+?source '?(\/[^\0']*\/shell-snapshots\/snapshot-[\w.-]+\.sh)/.exec(
    bytes.toString('utf8'),
  )?.[1]
}

/**
 * Finds the files (`claude-<hex>-cwd`) in which the agent's Bash tools noted its folder. They name no owner, so one stays if
 * another claude that works in the same folder may have made it. Without a claude of the agent's all of them stay, because
 * then only the log would give the agent's folder.
 */
export function findFolderNotes(search: Search, claudes: readonly OwnClaude[]): void {
  if (claudes.length === 0) return
  for (const base of search.places.bases) {
    using folder = openRoot(base)
    for (const name of namesIn(folder).filter(one => /^claude-[0-9a-f]{4,}-cwd$/.test(one))) {
      const entry = folder && entryIn(folder, name)
      if (entry?.kind !== 'a file' || !isOurs(entry, search.beganMs)) continue
      const noted = folder && textIn(folder, name, PATH_BYTES)?.trimEnd()
      if (noted === undefined || !search.workFolders.has(noted)) continue
      if (search.mayBeOthers(base, ({ pid }) => (folderOf(pid) ?? noted) === noted))
        search.leaveDoubtful(entry)
      else search.take(base, entry, 'its Bash tool noted its folder in it', 'agent')
    }
  }
}
