import { isServicePart } from '../../claims/background/service.ts'
import type { Claims } from '../../claims/evidence.ts'
import type { Observation } from '../../claims/observation.ts'
import { ownUid } from '../../platform/files/trust.ts'
import { beganMs, folderOf } from '../../platform/processes/details.ts'
import { uidOf } from '../../platform/processes/owner.ts'
import { hasEnded, type Process } from '../../platform/processes/stat.ts'
import type { ProcessTable } from '../../platform/processes/table.ts'
import type { LoggedSession } from '../../registry/stream-log.ts'
import { beginningOf, CLOCKS_MS } from './beginning.ts'
import type { ClaudeLeftover } from './leftover.ts'
import type { Entry } from './own-folder.ts'
import { mayUse, type Places, placesOf } from './places.ts'
import { isDead } from './records.ts'

/** A living claude, and when it began, in ms since 1970. */
export interface LivingClaude {
  pid: number
  startedMs: number
}

/** The living claudes of an agent that have a session. */
export const claudesOf = ({ claimed }: Claims, table: ProcessTable): LivingClaude[] =>
  [...claimed.values()]
    .filter(({ process }) => isClaude(process) && !isServicePart(process, table))
    .map(living)

/** The search for what one agent's claudes leave: its facts, and its findings. */
export class Search {
  readonly observation: Observation
  readonly claims: Claims
  readonly log: LoggedSession
  readonly places: Places
  /** When the agent began, in ms since 1970: an older file is not the agent's. Undefined where nothing shows it. */
  readonly beganMs: number | undefined
  /** The agent's living claudes. */
  readonly living: LivingClaude[]
  /** The folders that its claudes work in: by the kernel while one lives, afterwards only by the log. */
  readonly workFolders: ReadonlySet<string>
  /** Living claudes of our user that are not the agent's: read only where a file may be theirs. */
  #others: LivingClaude[] | undefined
  readonly #going = new Map<string, ClaudeLeftover>()
  readonly #stays = new Set<string>()

  constructor(observation: Observation, claims: Claims, log: LoggedSession, living: LivingClaude[]) {
    this.observation = observation
    this.claims = claims
    this.log = log
    this.living = living
    this.places = placesOf(claims.claimed.values())
    this.beganMs = beginningOf(observation, claims)
    const folders = this.living.flatMap(({ pid }) => folderOf(pid) ?? [])
    this.workFolders = new Set(
      folders.length > 0 ? folders : this.log.folder === undefined ? [] : [this.log.folder],
    )
  }

  /** Takes a file for the agent's, if it is our user's and was made since `sinceMs`. */
  take(root: string, entry: Entry, why: string, of: ClaudeLeftover['of'], sinceMs = this.beganMs): void {
    if (!isOurs(entry, sinceMs)) return
    // One home may have two paths.
    if (!this.#going.has(entry.identity)) this.#going.set(entry.identity, leftoverOf(root, entry, why, of))
  }

  /** Notes what stays, and why, in a sentence without its full stop. */
  readonly leave = (sentence: string): void => {
    this.#stays.add(sentence)
  }

  /** Notes that a file stays because it may be another claude's. */
  leaveDoubtful({ file }: Entry): void {
    this.leave(
      `${file}, unless its claude removes it: nothing in it says whether that is the agent's or another running one`,
    )
  }

  /** True when another claude that lives and fits may have made a file in `place`. */
  mayBeOthers(place: string, fits: (claude: LivingClaude) => boolean): boolean {
    // Nothing can be read of a claude that has ended since the scan: it would count as using every place.
    this.#others ??= [...this.observation.table.values()]
      .filter(one => isClaude(one) && !this.claims.claimed.has(one.pid))
      .filter(({ pid }) => (uidOf(pid) ?? ownUid()) === ownUid())
      .map(process => living({ process }))
    return this.#others.some(other => fits(other) && mayUse(other.pid, place) && !isDead(other.pid))
  }

  going(): ClaudeLeftover[] {
    return [...this.#going.values()]
  }

  stays(): string[] {
    return [...this.#stays]
  }
}

const isClaude = (one: Process): boolean => one.comm === 'claude' && !hasEnded(one)

const living = ({ process }: { process: Process }): LivingClaude => ({
  pid: process.pid,
  startedMs: beganMs(process),
})

/** True for a file of our user's that was made since `sinceMs`; false where that is undefined. */
export const isOurs = (entry: Entry, sinceMs: number | undefined): boolean =>
  entry.uid === ownUid() && sinceMs !== undefined && entry.bornMs >= sinceMs - CLOCKS_MS

function leftoverOf(root: string, entry: Entry, why: string, of: ClaudeLeftover['of']): ClaudeLeftover {
  const { file, bytes, identity, kind } = entry
  return {
    file,
    bytes,
    ageMs: Date.now() - entry.writtenMs,
    why,
    of,
    root,
    identity,
    isFolder: kind === 'a folder',
  }
}
