import { closeSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isLocked } from './lock.ts'

const keptMs = 30 * 24 * 3_600_000

/** Removes what was not used for 30 days, and what interrupted steps left. Nothing that another rig is making. */
export function removeOldInstalls(folder: string, now = Date.now()): void {
  const names = readdirSync(folder)
  const hashes = new Set(
    names.map(name => name.replace(/\.done$/, '')).filter(name => /^[\da-f]{16}$/.test(name)),
  )
  for (const hash of hashes) {
    const done = join(folder, `${hash}.done`)
    const usedAt = () => statSync(done, { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (now - usedAt() < keptMs) continue
    const fd = openSync(join(folder, 'lock'), 'a+', 0o600)
    try {
      if (!isLocked(fd, hash, folder) || now - usedAt() < keptMs) continue
      // First what says that the rest is whole.
      rmSync(done, { force: true })
      rmSync(join(folder, hash), { recursive: true, force: true })
    } finally {
      closeSync(fd)
    }
  }
}
