import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Claim } from '../../claims/evidence.ts'
import { realPath } from '../../platform/files/real-path.ts'
import { ownUid } from '../../platform/files/trust.ts'
import { readWholeEnvironment } from '../../platform/processes/environment.ts'
import { uidOf } from '../../platform/processes/owner.ts'

/** Claude's folder of settings and sessions: `name` in `root`, so that `name` itself is never followed as a link. */
export interface ClaudeFolder {
  root: string
  name: string
}

/** Where claude keeps its files. */
export interface Places {
  /** `~/.claude`, or what CLAUDE_CONFIG_DIR names. */
  folders: ClaudeFolder[]
  /** Where it makes its temporary files: /tmp, or what CLAUDE_CODE_TMPDIR names. */
  bases: string[]
}

/** The places that claudes with these environments use. A value that is not an absolute path counts as not set. */
export function placesIn(environments: readonly ReadonlyMap<string, string | undefined>[]): Places {
  const folders = new Map<string, ClaudeFolder>()
  const bases = new Set<string>()
  for (const environment of environments) {
    const absolute = (name: string): string[] => {
      const value = environment.get(name)
      // Without a slash at its end, or a dot, which would make another text of the same path.
      return value !== undefined && path.isAbsolute(value) ? [path.resolve(value)] : []
    }
    const add = (root: string, name: string) => folders.set(path.join(root, name), { root, name })
    for (const home of absolute('HOME')) add(home, '.claude')
    for (const folder of absolute('CLAUDE_CONFIG_DIR'))
      if (folder !== '/') add(path.dirname(folder), path.basename(folder))
    for (const base of absolute('CLAUDE_CODE_TMPDIR')) bases.add(base)
  }
  return { folders: [...folders.values()], bases: [...bases] }
}

/**
 * The places that an agent's claudes may have used: those in the environments of its processes that run as our user, and our
 * own. Neither another user's process nor a registry counts: through both, somebody could have a file of ours removed.
 */
export function placesOf(claims: Iterable<Claim>): Places {
  const environments = [...claims].flatMap(({ process }) => environmentOf(process.pid) ?? [])
  const { folders, bases } = placesIn([ownEnvironment(), ...environments])
  // By their real paths: otherwise an agent could name another claude's place through a link and pass it off as its own.
  const real = new Map(
    folders.flatMap(({ root, name }) => {
      const at = realOf(root)
      return at === undefined ? [] : [[path.join(at, name), { root: at, name }] as const]
    }),
  )
  return {
    folders: [...real.values()],
    bases: [...new Set(['/tmp', ...bases].flatMap(base => realOf(base) ?? []))],
  }
}

/** True when this process, if it is a claude, may keep its files in `place`; also when its environment cannot be read. */
export function mayUse(pid: number, place: string): boolean {
  const environment = environmentOf(pid)
  if (!environment) return true
  const { folders, bases } = placesIn([environment])
  const claude = folders.map(({ root, name }) => path.join(root, name))
  const used = [...claude, ...(bases.length > 0 ? bases : ['/tmp'])].map(realOf)
  return used.includes(undefined) || used.includes(realOf(place))
}

/** The real path; undefined where it cannot be read. */
function realOf(file: string): string | undefined {
  try {
    return realPath(file)
  } catch {
    return undefined
  }
}

/** The environment of a process that runs as our user; undefined for all others. */
export function environmentOf(pid: number): ReadonlyMap<string, string> | undefined {
  return uidOf(pid) === ownUid() ? readWholeEnvironment(pid) : undefined
}

function ownEnvironment(): ReadonlyMap<string, string | undefined> {
  return new Map([...Object.entries(process.env), ['HOME', ownHome()]])
}

/** HOME, unless it is another user's: leakrig may have been started as root and have become the workspace's owner since. */
function ownHome(): string {
  const home = os.homedir()
  try {
    return fs.statSync(home).uid === ownUid() ? home : os.userInfo().homedir
  } catch {
    // It is missing, or may not be read; and a user without an entry in the system's list has no other home.
    return home
  }
}
