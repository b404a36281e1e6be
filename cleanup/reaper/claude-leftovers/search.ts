import type { Claims } from '../../claims/evidence.ts'
import type { Observation } from '../../claims/observation.ts'
import { ownUid } from '../../platform/files/trust.ts'
import { folderOf } from '../../platform/processes/details.ts'
import { uidOf } from '../../platform/processes/owner.ts'
import { hasEnded, type Process } from '../../platform/processes/stat.ts'
import type { LoggedSession } from '../../registry/stream-log.ts'
import { beginningOf, CLOCKS_MS, startedMs } from './beginning.ts'
import type { ClaudeLeftover } from './leftover.ts'
import type { Entry } from './own-folder.ts'
import { mayUse, type Places, placesOf } from './places.ts'
import { isDead } from './records.ts'

/** A claude, and when it began, in ms since 1970. */
export interface SeenClaude {
  pid: number
  startedMs: number
}

/** The claudes of an agent that live. */
export const claudesOf = ({ claimed }: Claims): SeenClaude[] =>
  [...claimed.values()].filter(({ process }) => isClaude(process)).map(seen)

/** A look for what one agent's claudes leave: what it goes by, and what it has found. */
export class Search {
  readonly observation: Observation
  readonly claims: Claims
  readonly log: LoggedSession
  readonly places: Places
  /** What was made before that, in ms since 1970, is not the agent's; undefined where nothing tells when it began. */
  readonly beganMs: number | undefined
  /** The agent's claudes that live. */
  readonly living: SeenClaude[]
  /** The folders that its claudes work in: the kernel tells while one lives, afterwards only the log does. */
  readonly workFolders: ReadonlySet<string>
  /** Claudes of our user that live and are not the agent's: asked for only where something may be theirs. */
  #others: SeenClaude[] | undefined
  readonly #going = new Map<string, ClaudeLeftover>()
  readonly #stays = new Set<string>()

  constructor(observation: Observation, claims: Claims, log: LoggedSession, living: SeenClaude[]) {
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

  /** Takes it for the agent's, when it is our user's and was made since `sinceMs`. */
  take(root: string, entry: Entry, why: string, of: ClaudeLeftover['of'], sinceMs = this.beganMs): void {
    if (!isOurs(entry, sinceMs)) return
    // A home may be known by two paths.
    if (!this.#going.has(entry.identity)) this.#going.set(entry.identity, leftoverOf(root, entry, why, of))
  }

  /** What is left where it is, and why, in a sentence without its full stop. */
  readonly leave = (sentence: string): void => {
    this.#stays.add(sentence)
  }

  /** The same of a file that may as well be another claude's. */
  leaveDoubtful({ file }: Entry): void {
    this.leave(
      `${file} may be of the agent's claude or of another one that runs: nothing in it says whose it is`,
    )
  }

  /** True when another claude that lives and fits may have made a file in `place`. */
  mayBeOthers(place: string, fits: (claude: SeenClaude) => boolean): boolean {
    // Nothing can be read any more of one that has ended since the look: it would count as using every place.
    this.#others ??= [...this.observation.table.values()]
      .filter(one => isClaude(one) && !this.claims.claimed.has(one.pid))
      .filter(({ pid }) => (uidOf(pid) ?? ownUid()) === ownUid())
      .map(process => seen({ process }))
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

const seen = ({ process }: { process: Process }): SeenClaude => ({
  pid: process.pid,
  startedMs: startedMs(process),
})

/** True for what is our user's and was made since then; false where that is not known. */
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
