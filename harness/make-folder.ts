import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder with those above it. Node's own recursive mkdir never returns where the system denies that a folder is there,
 * as it does in /proc, and on a read-only disk it says ENOENT in place of EROFS.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    // Another process made it.
    if (!existsSync(path)) throw error
  }
}
