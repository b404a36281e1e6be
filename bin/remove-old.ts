import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The prefix of a folder whose bundles are being made. */
export const building = 'building-'

const hourMs = 3_600_000

/** Removes folders of bundles that were not used for a day, and what interrupted runs left. */
export function removeOld(cache: string): void {
  for (const name of readdirSync(cache)) {
    const folder = join(cache, name)
    // Another process may be removing it too.
    const ageMs = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (ageMs > (name.startsWith(building) ? hourMs : 24 * hourMs))
      rmSync(folder, { recursive: true, force: true })
  }
}
