import { folderOf } from '../../platform/processes/details.ts'
import { entryIn, namesIn, openRoot, textIn } from './own-folder.ts'
import { isOurs, type Search } from './search.ts'

/** How long a path can be that the kernel takes (PATH_MAX), in bytes. */
const PATH_BYTES = 4_096

/**
 * Finds the files (`claude-<hex>-cwd`) that the agent's Bash tools noted its folder in. They name nobody: one that
 * a claude of somebody else's that works in the same folder may have made stays. Without a claude of the agent's there
 * is none: the folder would be what the log says.
 */
export function findFolderNotes(search: Search, claudes: readonly unknown[]): void {
  if (claudes.length === 0) return
  for (const base of search.places.bases) {
    using folder = openRoot(base)
    for (const name of namesIn(folder).filter(one => /^claude-[0-9a-f]{4,}-cwd$/.test(one))) {
      const entry = folder && entryIn(folder, name)
      if (entry?.kind !== 'a file' || !isOurs(entry, search.beganMs)) continue
      const noted = folder && textIn(folder, name, PATH_BYTES)?.trimEnd()
      if (noted === undefined || !search.workFolders.has(noted)) continue
      if (search.mayBeOthers(base, ({ pid }) => (folderOf(pid) ?? noted) === noted))
        search.leaveDoubtful(entry)
      else search.take(base, entry, `a Bash tool of its noted its folder in it`, 'agent')
    }
  }
}
