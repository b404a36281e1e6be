import { existsSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ownFile } from '../own-file.ts'

/**
 * The path of a small shell whose file is named after claude, because the kernel names a process after its file. npm packs
 * no links, so that in a package one is made beside the journal, in the rig's own folder.
 */
export function shellOf(journal: string | undefined): string {
  const [name, shell] = existsSync('/bin/dash') ? ['claude', '/bin/dash'] : ['claude-sh', '/bin/sh']
  const link = ownFile(`idle/${name}`)
  if (existsSync(link)) return link
  const made = join(dirname(journal ?? '/none/journal'), name)
  try {
    symlinkSync(shell, made)
  } catch {
    // Another claude has made it, or there is no such folder any more.
  }
  return existsSync(made) ? made : shell
}
