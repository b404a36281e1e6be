import fs from 'node:fs'
import path from 'node:path'
import { isCgroup, ownCgroup } from '../../platform/processes/cgroup.ts'

/** Whether we may make a cgroup below our own. */
export const mayMakeCgroups = tryIt()

function tryIt(): boolean {
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
