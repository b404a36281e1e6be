import fs from 'node:fs'
import { CleanupError, messageOf } from '../errors.ts'
import { DRAFT_ENDING, PACKED_ENDING } from './classes.ts'
import { type Digest, type Packing, pack } from './compress.ts'
import type { Work } from './folder-job.ts'
import { isFull, takeRegistry } from './locks.ts'
import { pathOf } from './look.ts'
import type { PlannedFile } from './plan-types.ts'
import { publish } from './publish.ts'
import { recheckOf } from './recheck.ts'
import { readWriters } from './writers.ts'

/** So many drafts lie beside their originals at most, and this many bytes of originals, before one look at who writes. */
const BATCH_FILES = 32
const BATCH_BYTES = 64 * 1024 * 1024

/** A file whose compressed form is whole, verified and on the disk. */
interface Packed {
  file: PlannedFile
  draft: string
  digest: Digest
}

/** Compresses the planned files of one folder. A full disk ends it: the next one would fail too. */
export async function compressFiles(work: Work): Promise<void> {
  const packing = packingOf(work)
  const left = [...work.files]
  for (let full = false; left.length > 0 && !full && !work.options.signal?.aborted; ) {
    const packed: Packed[] = []
    try {
      for (let bytes = 0; left.length > 0 && packed.length < BATCH_FILES && bytes < BATCH_BYTES && !full; ) {
        const file = left.shift() as PlannedFile
        bytes += file.bytes
        full = await packOne(work, file, packing, packed)
      }
      await replaceAll(work, packing, packed)
    } finally {
      for (const { draft } of packed) removeDraft(work, draft)
    }
  }
}

/** Makes one draft. Returns true when there is no space for it. */
async function packOne(work: Work, file: PlannedFile, packing: Packing, packed: Packed[]): Promise<boolean> {
  const { folder, options } = work
  const draft = `${file.name}${PACKED_ENDING[packing]}${DRAFT_ENDING}`
  try {
    options.log?.({ event: 'compress', file: pathOf(file) })
    const digest = await pack(folder.at(file.name), folder.at(draft), packing, options.signal)
    packed.push({ file, draft, digest })
    return false
  } catch (error) {
    removeDraft(work, draft)
    if (!options.signal?.aborted) failed(work, file, error)
    return isFull(error)
  }
}

/** Puts the drafts in their originals' place, as far as these are still what the plan saw. */
async function replaceAll(work: Work, packing: Packing, packed: readonly Packed[]): Promise<void> {
  const { plan, workspace, taskId, folder, options, outcomes } = work
  const writers = await readWriters()
  using _ = await takeRegistry(workspace, taskId)
  const recheck = recheckOf(plan, workspace, taskId, writers)
  const published: { file: PlannedFile; to: string }[] = []
  for (const { file, draft, digest } of packed) {
    try {
      const changed = recheck(folder, file)
      if (changed) outcomes.push({ file, savedBytes: 0, ...changed })
      else published.push({ file, to: await publish(folder, draft, file, packing, digest) })
    } catch (error) {
      failed(work, file, error)
    }
  }
  // The new names first, for good: a machine that loses power here has both, and never none.
  await folder.sync()
  for (const { file, to } of published) {
    options.log?.({ event: 'replace', file: pathOf(file), to })
    const { size } = fs.lstatSync(folder.at(to))
    fs.unlinkSync(folder.at(file.name))
    outcomes.push({ file, outcome: 'compressed', to, savedBytes: file.bytes - size })
  }
}

function packingOf({ plan, workspace }: Work): Packing {
  const compress = plan.workspaces.find(target => target.workspace === workspace)?.policy.compress
  if (compress === 'zstd' || compress === 'gzip') return compress
  throw new CleanupError('bad-argument', `The plan has no compression for ${workspace}; make a new one.`)
}

function failed({ outcomes, problems }: Work, file: PlannedFile, error: unknown): void {
  problems.push(`${pathOf(file)} could not be compressed, and stays as it is: ${messageOf(error)}.`)
  outcomes.push({ file, outcome: 'failed', why: messageOf(error), savedBytes: 0 })
}

function removeDraft({ folder }: Work, draft: string): void {
  try {
    fs.unlinkSync(folder.at(draft))
  } catch {
    // It became the archive by a rename; or something else has that name, and the compression failed for it.
  }
}
