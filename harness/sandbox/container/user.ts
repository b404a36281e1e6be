import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { projectRoot } from '../../../bin/programs.ts'

const otherMayEnter = 0o001

/**
 * The user that a container runs as: the user of the rig, so that the mounted project is readable. For root it is the
 * image's own user, unless only root may enter the project's folder.
 */
export function containerUser(): string {
  const uid = process.getuid?.() ?? 1000
  if (uid !== 0) return `${uid}:${process.getgid?.() ?? uid}`
  return everyoneMayEnter(projectRoot) ? '1000:1000' : '0:0'
}

function everyoneMayEnter(folder: string): boolean {
  const may = (statSync(folder).mode & otherMayEnter) !== 0
  return may && (folder === dirname(folder) || everyoneMayEnter(dirname(folder)))
}
