import fs from 'node:fs'
import path from 'node:path'
import { ownUid } from './trust.ts'

/** What lets somebody else replace what is in a folder, and what to do about it. */
export interface Unsafe {
  why: string
  advice: string
}

const { S_IWGRP, S_IWOTH } = fs.constants
/** In a folder with this bit only the owner of an entry, of the folder, or root may replace the entry (unlink(2)). */
const S_ISVTX = 0o1000

/**
 * Says who but the user `uid` (by default we) and root could put something else in the place of an entry of this folder;
 * undefined when nobody could. That takes the folder and every folder above it, because whoever may write one can replace the next. The
 * path must be the real one.
 */
export function whyUnsafe(folder: string, own = ownUid()): Unsafe | undefined {
  for (const at of [...foldersAbove(folder), folder]) {
    const unsafe = whyReplaceable(at, own)
    if (unsafe) return unsafe
  }
  return undefined
}

/** How many links one path may lead through, as the kernel counts them (path_resolution(7)). */
const MOST_LINKS = 40

/**
 * Says who but the user `own` and root could have a program of theirs found in this folder, also by another way on which a link
 * leads to it; undefined when nobody could. Stricter than `whyUnsafe`: in a sticky folder (/tmp) everybody may add a
 * name. Throws what the system says, ENOENT where there is no such folder.
 */
export function whyUnsafeToRunFrom(folder: string, own: number): Unsafe | undefined {
  let at = path.parse(folder).root
  let rest = folder.split(path.sep).filter(Boolean)
  for (let links = 0; rest.length > 0; ) {
    const unsafe = whyReplaceable(at, own)
    if (unsafe) return unsafe
    const [name = '', ...more] = rest
    const next = path.join(at, name)
    const found = fs.lstatSync(next)
    if (!found.isSymbolicLink()) [at, rest] = [next, more]
    else if (found.uid !== own && !isRoot(found.uid)) return ofAnother(next, found.uid)
    else if (++links > MOST_LINKS) throw Object.assign(new Error('ELOOP'), { code: 'ELOOP' })
    else {
      const target = fs.readlinkSync(next)
      if (path.isAbsolute(target)) at = path.parse(target).root
      rest = [...target.split(path.sep).filter(Boolean), ...more]
    }
  }
  return whyReplaceable(at, own, false)
}

/** Who could put something else in the place of what is in this very folder, or add to it where being sticky `isEnough` not. */
function whyReplaceable(at: string, own: number, isEnough = true): Unsafe | undefined {
  const { uid, gid, mode } = fs.lstatSync(at)
  if (uid !== own && !isRoot(uid)) return ofAnother(at, uid)
  const isForOthers = (mode & S_IWOTH) !== 0 || ((mode & S_IWGRP) !== 0 && !isPrivateGroup(uid, gid))
  if (!isForOthers || (isEnough && (mode & S_ISVTX) !== 0)) return undefined
  return {
    why: `other users may write its folder ${at}`,
    advice: `take that right away (chmod go-w ${at})`,
  }
}

const ofAnother = (at: string, uid: number): Unsafe => ({
  why: `its folder ${at} belongs to user ${uid}, who can put anything in there`,
  advice: 'remove or rename that folder',
})

/**
 * True for root, and for whoever owns "/": in a user namespace that does not map root's number the kernel shows root as
 * another user (overflowuid), and whoever owns "/" can replace everything.
 */
const isRoot = (uid: number): boolean => uid === 0 || uid === fs.lstatSync('/').uid

/**
 * True for a user's private group, which has the user's number (Debian, Ubuntu and Fedora make one for each, and give
 * it write access to every new folder) and by /etc/group no other member.
 */
function isPrivateGroup(uid: number, gid: number): boolean {
  if (uid === 0 || gid !== uid) return false
  const fields = groups()
    .map(line => line.split(':'))
    .find(([, , number]) => number === String(gid))
  return fields?.[3] === '' || (fields !== undefined && fields[3] === fields[0])
}

function groups(): string[] {
  try {
    return fs.readFileSync('/etc/group', 'utf8').split('\n')
  } catch {
    return []
  }
}

/** From "/" down, without the folder itself. */
function foldersAbove(folder: string): string[] {
  const above = path.dirname(folder)
  return above === folder ? [] : [...foldersAbove(above), above]
}
