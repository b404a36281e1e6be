import os from 'node:os'
import type { Claims } from '../../claims/evidence.ts'
import type { Scene } from '../../claims/scene.ts'
import { isJson } from '../../files/json.ts'
import { readWholeEnvironment } from '../../processes/environment.ts'
import { descriptorTarget } from '../../processes/open-files.ts'
import { readProc } from '../../processes/proc-file.ts'
import type { NotedResidue } from '../../workspace/registry-types.ts'
import { backgroundTasks, sessionIdOf } from '../../workspace/stream-log.ts'
import { sessionRecords } from './session-records.ts'
import { startedAtMs } from './started-at.ts'
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
  /** The agent's claudes, and when each began, in ms since 1970; 0 where that is not known. */
  claudes: Map<number, number>
  /** Shell snapshots and task outputs that the agent's processes use, and what by its time can only be theirs. */
  files: Set<string>
  /** What may be the agent's or another claude's. */
  doubtful: string[]
}

/** Only files of these names are ever taken for residue, whatever a registry says that somebody else may have written. */
const NAMES = [
  /\/\.claude\/shell-snapshots\/snapshot-[\w.-]+\.sh$/,
  /\/tasks\/[\w-]+\.output$/,
  /\/claude-[0-9a-f]{4,}-cwd$/,
]

/** Notes it, before anything is ended; to it comes what a cleaner before us has noted and left in the registry. */
export function noteResidue(scene: Scene, claims: Claims): Residue {
  const sessionId = sessionIdOf(scene.log)
  const before = notedBefore(scene)
  const residue: Residue = {
    homes: new Set(before.homes),
    bases: new Set(before.bases),
    sessionId,
    claudes: new Map(before.claudes),
    files: new Set(before.files.filter(file => NAMES.some(name => name.test(file)))),
    doubtful: [],
  }
  const inBackground = backgroundTasks(scene.log)
  for (const { process } of claims.claimed.values()) {
    const environment = readWholeEnvironment(process.pid)
    const home = environment?.get('HOME')
    if (home) residue.homes.add(home)
    residue.bases.add(environment?.get('CLAUDE_CODE_TMPDIR') || '/tmp')
    if (process.comm === 'claude') residue.claudes.set(process.pid, startedAtMs(process))
    for (const file of [snapshotNamedBy(process.pid), outputOf(process.pid, sessionId, inBackground)])
      if (file !== undefined) residue.files.add(file)
  }
  if (residue.homes.size === 0) residue.homes.add(os.homedir())
  if (residue.bases.size === 0) residue.bases.add('/tmp')
  // A claude that is dead already has left a record of its beginning.
  for (const { pid, startedAt = 0 } of sessionRecords(residue))
    if (!residue.claudes.has(pid)) residue.claudes.set(pid, startedAt)
  const { own, doubtful } = findTemporary(scene, claims, residue)
  for (const file of own) residue.files.add(file)
  residue.doubtful = doubtful.filter(file => !residue.files.has(file))
  return residue
}

/** What is to be found in the registry by whoever goes on after us, when nobody lives any more who could tell. */
export function toBeNoted({ homes, bases, claudes, files }: Residue): NotedResidue | undefined {
  if (claudes.size === 0 && files.size === 0) return undefined
  return { homes: [...homes], bases: [...bases], claudes: [...claudes], files: [...files] }
}

function notedBefore({ entry }: Scene): NotedResidue {
  const noted: unknown = entry.cleanup?.residue
  const found = isJson(noted) ? noted : {}
  const words = (value: unknown) =>
    Array.isArray(value) ? value.filter((word): word is string => typeof word === 'string') : []
  const isPair = (pair: unknown): pair is [number, number] =>
    Array.isArray(pair) && pair.length === 2 && pair.every(part => typeof part === 'number')
  return {
    homes: words(found.homes),
    bases: words(found.bases),
    claudes: Array.isArray(found.claudes) ? found.claudes.filter(isPair) : [],
    files: words(found.files),
  }
}

/** The snapshot of the shell's state that a Bash tool's command line begins with: `source <snapshot> && ...`. */
function snapshotNamedBy(pid: number): string | undefined {
  const bytes = readProc(`/proc/${pid}/cmdline`)
  if (typeof bytes === 'string') return undefined
  return /^(?:[^\0]*\0)+?source '?(\/[^\0']*\/\.claude\/shell-snapshots\/snapshot-[\w.-]+\.sh)/.exec(
    bytes.toString('utf8'),
  )?.[1]
}

/** The output of a foreground command, which claude removes when the command has ended. */
function outputOf(
  pid: number,
  sessionId: string | undefined,
  inBackground: Set<unknown>,
): string | undefined {
  const output = descriptorTarget({ pid, fd: 1 })
  const task = /\/([^/]+)\/tasks\/([\w-]+)\.output$/.exec(output ?? '')
  return task && task[1] === sessionId && !inBackground.has(task[2]) ? output : undefined
}
