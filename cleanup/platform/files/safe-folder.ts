import fs from 'node:fs'
import path from 'node:path'
import { ownUid } from './trust.ts'

/** Why another user can replace the entries of a folder, and what to do about it. */
export interface Unsafe {
  why: string
  advice: string
}

const { S_IWGRP, S_IWOTH } = fs.constants
/** The sticky bit: only the owner of an entry or of the folder, and root, may replace the entry (unlink(2)). */
const S_ISVTX = 0o1000

/**
 * Why a user other than `own` (by default ours) and root could replace an entry of this folder; undefined when nobody could.
 * Checks every folder above as well, because whoever may write to one can replace the next. The path must be real.
 */
export function whyUnsafe(folder: string, own = ownUid()): Unsafe | undefined {
  for (const at of [...foldersAbove(folder), folder]) {
    const unsafe = whyReplaceable(at, own)
    if (unsafe) return unsafe
  }
  return undefined
}

/** The kernel's limit of links in one path (path_resolution(7)). */
const MOST_LINKS = 40

/**
 * Why a user other than `own` and root could place a program in this folder, or redirect a link on the way to it; undefined
 * when nobody could. Stricter than `whyUnsafe`: in a sticky folder (/tmp) everybody may add a name. Throws system errors,
 * such as ENOENT when the folder does not exist.
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

/** Why others could replace an entry of this one folder, or, when the sticky bit is not enough, add one. */
function whyReplaceable(at: string, own: number, isStickyEnough = true): Unsafe | undefined {
  const { uid, gid, mode } = fs.lstatSync(at)
  if (uid !== own && !isRoot(uid)) return ofAnother(at, uid)
  const isForOthers = (mode & S_IWOTH) !== 0 || ((mode & S_IWGRP) !== 0 && !isPrivateGroup(uid, gid))
  if (!isForOthers || (isStickyEnough && (mode & S_ISVTX) !== 0)) return undefined
  return {
    why: `other users may write to its folder ${at}`,
    advice: `remove that permission (chmod go-w ${at})`,
  }
}

const ofAnother = (at: string, uid: number): Unsafe => ({
  why: `its folder ${at} belongs to user ${uid}, who can put anything there`,
  advice: 'remove or rename that folder',
})

/**
 * True for root and for the owner of "/": in a user namespace that does not map uid 0, the kernel shows root under another
 * uid (overflowuid).
 */
const isRoot = (uid: number): boolean => uid === 0 || uid === fs.lstatSync('/').uid

/**
 * True for a user's private group: it has the user's number and, by /etc/group, no other member. Debian, Ubuntu and Fedora
 * create one for each user and grant it write access to new folders.
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

/** The folders above, from "/" down. */
function foldersAbove(folder: string): string[] {
  const above = path.dirname(folder)
  return above === folder ? [] : [...foldersAbove(above), above]
}
