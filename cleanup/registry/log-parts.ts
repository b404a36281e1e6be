import fs from 'node:fs'
import path from 'node:path'
import { systemCode } from '../errors.ts'
import type { Folder } from '../platform/files/folder.ts'
import { openWithin } from '../platform/files/within.ts'
import { inodeText } from './log-inode.ts'

/**
 * What a rotation adds to a log's name, before or after its extension: logrotate's numbers and dates. Other additions
 * (`.bak`) are somebody's own copy.
 */
export const ADDED = '(?:[.-](?:0|[1-9][\\d.:TZ_-]*))'
export const COMPRESSED = '\\.(?:gz|zst|xz|bz2|lz4|Z)'
const ID = '[A-Za-z0-9_][A-Za-z0-9_-]*'
const LOG = new RegExp(
  `^(?<stem>${ID}_(?:stream|progress|findings))(?<before>${ADDED})?(?<ext>\\.jsonl)(?<after>${ADDED})?(?<compressed>${COMPRESSED})?$`,
)
/** Nothing is added before its extension: `deploy_a-1.json` is the log of agent a-1. */
const DEPLOY = new RegExp(
  `^(?<stem>deploy_${ID})(?<ext>\\.json|\\.stderr)(?<after>${ADDED})?(?<compressed>${COMPRESSED})?$`,
)

/** The name of the log of which a file is an older part (`a_stream.jsonl.1.gz`: `a_stream.jsonl`); undefined for other files, and for a log itself. */
export function logOfPart(name: string): string | undefined {
  const { stem, before, ext, after, compressed } = (LOG.exec(name) ?? DEPLOY.exec(name))?.groups ?? {}
  return (before ?? after ?? compressed) === undefined ? undefined : `${stem}${ext}`
}

const isCompressedName = new RegExp(`${COMPRESSED}$`)
export const isCompressed = (name: string): boolean => isCompressedName.test(name)

/** A list may be used again for this many times as long as it took to make: a folder can hold the logs of ten thousand agents. */
const REUSE_FACTOR = 20
const MOST_FOLDERS = 16

interface Listed {
  until: number
  parts: ReadonlyMap<string, string[]>
}

const listed = new Map<string, Listed>()

/** The names of the parts of a log in its folder, sorted. */
export function partsIn(folder: Folder, log: string): readonly string[] {
  const key = folder.path
  let known = listed.get(key)
  if (!known || performance.now() > known.until) {
    const since = performance.now()
    const parts = new Map<string, string[]>()
    for (const name of folder.names()) {
      const of = logOfPart(name)
      if (of === undefined) continue
      parts.set(of, [...(parts.get(of) ?? []), name].sort())
    }
    const now = performance.now()
    known = { until: now + REUSE_FACTOR * (now - since), parts }
    if (listed.size >= MOST_FOLDERS) listed.clear()
    listed.set(key, known)
  }
  return known.parts.get(log) ?? []
}

/** A file that holds lines of a log. */
export interface LogFile {
  file: string
  inode: string
  /** When it was last written, in ns since 1970. */
  modified: bigint
}

/** A log and the parts of it in its folder below `root`, where they are. Throws for a link on the way. */
export function filesOfLog(root: string, log: string): LogFile[] {
  try {
    using folder = openWithin(root, path.dirname(log))
    const name = path.basename(log)
    return [name, ...partsIn(folder, name)].flatMap(one => {
      const stat = fs.lstatSync(folder.at(one), { bigint: true, throwIfNoEntry: false })
      const file = path.join(folder.path, one)
      return stat ? { file, inode: inodeText(stat), modified: stat.mtimeNs } : []
    })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** For sorting: the last written one first. */
export const byAge = (one: LogFile, other: LogFile): number => Number(other.modified - one.modified)

/** The log of which an open file is a part, by their paths as the kernel names them; undefined for other files. */
export function logOfPartPath(file: string): string | undefined {
  const at = file.replace(/ \(deleted\)$/, '')
  const log = logOfPart(path.basename(at))
  return log && path.join(path.dirname(at), log)
}
