import fs from 'node:fs'
import path from 'node:path'
import type { Claims } from '../../claims/evidence.ts'
import type { Scene } from '../../claims/scene.ts'
import { hasEnded } from '../../processes/stat.ts'
import { initEventOf } from '../../workspace/stream-log.ts'
import { list } from './files.ts'
import type { Residue } from './note.ts'
import { startedAtMs } from './started-at.ts'

/** How long after its start a claude takes its snapshot of the shell, in ms, and how exact the clocks are. */
const SNAPSHOT_WITHIN_MS = 15_000
const CLOCKS_MS = 1_000

/** Files of claude's that name neither a process nor a session: whose they are can only follow from time and place. */
export interface Temporary {
  /** What only this agent can have left. */
  own: string[]
  /** What it may have left, or somebody else. */
  doubtful: string[]
}

/**
 * Finds, in claude's folders, the shell snapshots that were taken when the agent's claude began, and the files
 * (`claude-<hex>-cwd`) that its Bash tools noted its folder in. They are its own when no other claude that runs can
 * have made them: none that began at that time, none that works in that folder.
 */
export function findTemporary(
  scene: Scene,
  { claimed }: Claims,
  { homes, bases, claudes }: Pick<Residue, 'homes' | 'bases' | 'claudes'>,
): Temporary {
  const found: Temporary = { own: [], doubtful: [] }
  const others = [...scene.table.values()].filter(
    seen => seen.comm === 'claude' && !hasEnded(seen) && !claimed.has(seen.pid),
  )
  const sort = (file: string, isOthers: boolean) => (isOthers ? found.doubtful : found.own).push(file)

  const starts = [...claudes.values()]
  const isBegin = (start: number, taken: number) =>
    taken >= start - CLOCKS_MS && taken <= start + SNAPSHOT_WITHIN_MS
  for (const home of homes)
    for (const file of pathsIn(path.join(home, '.claude', 'shell-snapshots'))) {
      const taken = Number(/\/snapshot-[a-z]+-(\d{13})-[\w-]+\.sh$/.exec(file)?.[1])
      if (!starts.some(start => isBegin(start, taken))) continue
      sort(
        file,
        others.some(other => isBegin(startedAtMs(other), taken)),
      )
    }

  const since = Date.parse(scene.entry.started_at ?? '')
  const folder = initEventOf(scene.log)?.cwd
  const isShared = others.some(({ pid }) => folderOf(pid) === folder)
  for (const base of bases)
    for (const file of pathsIn(base)) {
      if (!/\/claude-[0-9a-f]{4,}-cwd$/.test(file) || !isOfItsLife(file, since)) continue
      if (typeof folder === 'string' && readLine(file) === folder) sort(file, isShared)
    }
  return found
}

/** False also for an agent of which it is not known when it began. */
function isOfItsLife(file: string, since: number): boolean {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  return stat?.isFile() === true && stat.mtimeMs >= since - CLOCKS_MS
}

function readLine(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8').trimEnd()
  } catch {
    return undefined
  }
}

function folderOf(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

const pathsIn = (folder: string): string[] => list(folder).map(name => path.join(folder, name))
