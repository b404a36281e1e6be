import type { Stats } from 'node:fs'

/**
 * What keeps a file of a report folder from being replaced, by its lstat. Whoever made the folder may have put a link there,
 * and git checks links in: nothing outside of the folder is written through one.
 */
export function ownFileProblem(found: Stats): string | undefined {
  if (found.isSymbolicLink()) return 'it is a link'
  if (found.isDirectory()) return 'it is a folder'
  if (!found.isFile()) return 'it is no regular file'
  return found.nlink > 1 ? 'it has another name elsewhere' : undefined
}
