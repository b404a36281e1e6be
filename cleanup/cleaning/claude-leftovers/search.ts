import type { Claims } from '../../claims/evidence.ts'
import type { Scene } from '../../claims/scene.ts'
import { ownUid } from '../../files/trust.ts'
import { folderOf } from '../../processes/details.ts'
import { uidOf } from '../../processes/owner.ts'
import { hasEnded } from '../../processes/stat.ts'
import { type LoggedSession, loggedSession } from '../../workspace/stream-log.ts'
import { beginningOf, CLOCKS_MS, startedMs } from './beginning.ts'
import type { Leftover } from './leftover.ts'
import type { Entry } from './own-folder.ts'
import { mayUse, type Places, placesOf } from './places.ts'
import { isDead } from './records.ts'

/** A claude, and when it began, in ms since 1970. */
export interface SeenClaude {
  pid: number
  startedMs: number
}

/** A look for what one agent's claudes leave: what it goes by, and what it has found. */
export class Search {
  readonly scene: Scene
  readonly claims: Claims
  readonly log: LoggedSession
  readonly places: Places
  /** What was made before that, in ms since 1970, is not the agent's; undefined where nothing tells when it began. */
  readonly beganMs: number | undefined
  /** The agent's claudes that live. */
  readonly living: SeenClaude[]
  /** Claudes of our user that live and are not the agent's. */
  readonly others: SeenClaude[]
  /** The folders that its claudes work in: the kernel tells while one lives, afterwards only the log does. */
  readonly workFolders: ReadonlySet<string>
  readonly #going = new Map<string, Leftover>()
  readonly #stays = new Set<string>()

  constructor(scene: Scene, claims: Claims) {
    this.scene = scene
    this.claims = claims
    this.log = loggedSession(scene.log)
    this.places = placesOf(claims.claimed.values())
    this.beganMs = beginningOf(scene, claims)
    const claudes = [...scene.table.values()].filter(
      one => one.comm === 'claude' && !hasEnded(one) && (uidOf(one.pid) ?? ownUid()) === ownUid(),
    )
    const seen = (isOwn: boolean) =>
      claudes
        .filter(({ pid }) => claims.claimed.has(pid) === isOwn)
        .map(one => ({ pid: one.pid, startedMs: startedMs(one) }))
    this.living = seen(true)
    this.others = seen(false)
    const folders = this.living.flatMap(({ pid }) => folderOf(pid) ?? [])
    this.workFolders = new Set(
      folders.length > 0 ? folders : this.log.folder === undefined ? [] : [this.log.folder],
    )
  }

  /** Takes it for the agent's, when it is our user's and was made since `sinceMs`. */
  take(root: string, entry: Entry, why: string, of: Leftover['of'], sinceMs = this.beganMs): void {
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
    return this.others.some(other => fits(other) && mayUse(other.pid, place) && !isDead(other.pid))
  }

  going(): Leftover[] {
    return [...this.#going.values()]
  }

  stays(): string[] {
    return [...this.#stays]
  }
}

/** True for what is our user's and was made since then; false where that is not known. */
export const isOurs = (entry: Entry, sinceMs: number | undefined): boolean =>
  entry.uid === ownUid() && sinceMs !== undefined && entry.bornMs >= sinceMs - CLOCKS_MS

function leftoverOf(root: string, entry: Entry, why: string, of: Leftover['of']): Leftover {
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
