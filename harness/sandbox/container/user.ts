import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { projectRoot } from '../../../bin/programs.ts'

const otherMayEnter = 0o001

/**
 * Who the container runs as: whoever runs the rig, so that the mounted project can be read; for root the
 * image's own user, unless the project lies where only root may go.
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
