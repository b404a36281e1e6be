import fs from 'node:fs'
import path from 'node:path'
import { systemCode } from '../../errors.ts'
import { contains, foldersInFstab, mountOf, mountsOf } from '../files/file-system.ts'
import { beganMs } from './details.ts'
import type { Process } from './stat.ts'

/** `unknown`: it is not seen, and nothing shows that it was removed. */
export type Presence = 'there' | 'removed' | 'unknown'

/** Folders in which a disk is given a folder of its own while it is mounted (udisks, and by hand). */
const HOLDS_MOUNT_POINTS = /^\/(mnt|media|run\/media|Volumes)(\/[^/]+)?$/

/** How far, in ms, the times of a file and of a process may be apart and mean the same moment: both are rounded. */
const SAME_MOMENT_MS = 10

/**
 * Tells whether a folder exists, here or in the mount namespace of a process that is known to have used it. A folder that is
 * not seen may be on a disk that is not mounted: then it is somewhere else, or comes back.
 */
export function presenceFor(process: Process, folder: string): Presence {
  const found = [
    presenceIn('', 'self', process, folder),
    presenceIn(`/proc/${process.pid}/root`, process.pid, process, folder),
  ]
  return found.find(one => one === 'there') ?? found.find(one => one === 'unknown') ?? 'removed'
}

function presenceIn(root: string, viewer: number | 'self', process: Process, folder: string): Presence {
  try {
    if (exists(root + folder)) return 'there'
    let above = path.dirname(folder)
    while (!exists(root + above)) {
      if (above === '/') return 'unknown'
      above = path.dirname(above)
    }
    const mounts = mountsOf(viewer)
    const isMounted = (on: string) => mounts.some(mount => mount.on === on)
    if (foldersInFstab().some(on => contains(on, folder) && !isMounted(on))) return 'unknown'
    if (mountOf(above, mounts)?.type === 'autofs') return 'unknown'
    if (HOLDS_MOUNT_POINTS.test(above) && !isMounted(above)) return 'unknown'
    return isEmptySince(root + above, beganMs(process)) ? 'unknown' : 'removed'
  } catch {
    // What could not be read (access denied, a dead network file system, a link in a circle) is not gone.
    return 'unknown'
  }
}

/** False if nothing has this name. Throws for everything else, also for a link that leads nowhere. */
function exists(file: string): boolean {
  try {
    fs.lstatSync(file)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false
    throw error
  }
  fs.statSync(file)
  return true
}

/**
 * True for a folder that is empty and was when a process began, which used a folder in it: so that was mounted here. What was
 * removed from it later would have changed its time.
 */
function isEmptySince(folder: string, beganAt: number): boolean {
  using entries = fs.opendirSync(folder)
  return entries.readSync() === null && fs.statSync(folder).mtimeMs < beganAt + SAME_MOMENT_MS
}
