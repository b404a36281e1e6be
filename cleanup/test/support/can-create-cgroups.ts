import fs from 'node:fs'
import path from 'node:path'
import { isCgroup, ownCgroup } from '../../platform/processes/cgroup.ts'

/** True if this process may create a cgroup below its own. */
export const canCreateCgroups = tryMkdir()

function tryMkdir(): boolean {
  const own = ownCgroup()
  if (!own || !isCgroup(own)) return false
  try {
    const folder = path.join(own, `leakrig-test-${process.pid}`)
    fs.mkdirSync(folder)
    fs.rmdirSync(folder)
    return true
  } catch {
    return false
  }
}
