import fs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf, systemCode } from '../errors.ts'
import type { Work } from './folder-job.ts'
import { takeRegistry } from './locks.ts'
import { pathOf } from './look.ts'
import type { FileOutcome, PlannedFile } from './plan-types.ts'
import { type Recheck, recheckOf } from './recheck.ts'
import { readWriters } from './writers.ts'

/** So many files go under one lock: it is held for some ms, and an agent's status waits no longer than that. */
const BATCH = 500

/** Removes the planned files of one folder that are still what the plan saw. */
export async function removeFiles(work: Work): Promise<void> {
  const { plan, workspace, taskId, files, options, outcomes } = work
  for (let from = 0; from < files.length && !options.signal?.aborted; from += BATCH) {
    const writers = await readWriters()
    using _ = await takeRegistry(workspace, taskId)
    const recheck = recheckOf(plan, workspace, taskId, writers)
    for (const file of files.slice(from, from + BATCH)) outcomes.push(removeOne(work, file, recheck))
    await nextTurn()
  }
}

function removeOne({ folder, options, problems }: Work, file: PlannedFile, recheck: Recheck): FileOutcome {
  const nothing = { file, savedBytes: 0 }
  try {
    const left = recheck(folder, file)
    if (left) return { ...nothing, ...left }
    options.log?.({ event: 'purge', file: pathOf(file), rule: file.rule })
    fs.unlinkSync(folder.at(file.name))
    return { file, outcome: 'removed', savedBytes: file.bytes }
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      return { ...nothing, outcome: 'gone', why: 'somebody else removed it' }
    problems.push(`${pathOf(file)} could not be removed: ${messageOf(error)}.`)
    return { ...nothing, outcome: 'failed', why: messageOf(error) }
  }
}
