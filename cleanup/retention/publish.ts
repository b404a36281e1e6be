import fs from 'node:fs'
import { systemCode } from '../errors.ts'
import type { Folder } from '../platform/files/folder.ts'
import { PACKED_ENDING } from './classes.ts'
import { type Digest, digestOf, type Packing } from './compress.ts'
import type { PlannedFile } from './plan-types.ts'

/**
 * Gives a verified draft its name. One that is taken is never overwritten: a number goes before the extension. Where one that was killed had come as far already, its file is taken, so that no log
 * is there twice. Returns the name.
 */
export async function publish(
  folder: Folder,
  draft: string,
  file: PlannedFile,
  packing: Packing,
  digest: Digest,
): Promise<string> {
  for (let number = 0; ; number++) {
    const name = numbered(file.name, number) + PACKED_ENDING[packing]
    if (place(folder, draft, name) || (await isSame(folder, name, file, packing, digest))) return name
  }
}

/** False when the name is taken. */
function place(folder: Folder, draft: string, name: string): boolean {
  try {
    // A second name, not a rename: link(2) refuses a taken name, rename(2) would overwrite it.
    fs.linkSync(folder.at(draft), folder.at(name))
    return true
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return false
    // A file system without hard links. Nobody else gives such names here, for we hold the task's lock.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error
    if (fs.lstatSync(folder.at(name), { throwIfNoEntry: false })) return false
    fs.renameSync(folder.at(draft), folder.at(name))
    return true
  }
}

/** True when a file holds the very same content, put there by one that was killed before it removed the original. */
async function isSame(
  folder: Folder,
  name: string,
  file: PlannedFile,
  packing: Packing,
  digest: Digest,
): Promise<boolean> {
  const there = fs.lstatSync(folder.at(name))
  if (!there.isFile() || Math.abs(there.mtimeMs - file.mtimeMs) > 2) return false
  try {
    const found = await digestOf(folder.at(name), packing)
    return found.bytes === digest.bytes && found.sha256 === digest.sha256
  } catch {
    // Not a whole one: somebody else's.
    return false
  }
}

/** As the archive numbers the names that are taken; the file's own number is the first that is tried. */
function numbered(name: string, more: number): string {
  const [, stem = '', own = '0', ext = ''] = /^(.*?)(?:\.(\d+))?(\.jsonl?)$/.exec(name) ?? []
  const number = Number(own) + more
  return number === 0 ? name : `${stem}.${number}${ext}`
}
