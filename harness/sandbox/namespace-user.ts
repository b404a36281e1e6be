import { type Stats, statSync } from 'node:fs'
import { programFile, projectRoot } from '../../bin/programs.ts'
import { WrongNeed } from './needs.ts'

const nobody = 65534
const otherMayRead = 0o004

/**
 * The user outside the namespace that the processes of a sandbox run as, as "uid:gid", or "same" for the rig's own user.
 * Only root has a choice: it runs them as nobody, or as the project's owner where no other user may read the project.
 * The same holds for what is mounted.
 * @throws WrongNeed when there is no user who may read all of it
 */
export function namespaceUser(mounts: readonly string[] = []): string {
  if (process.getuid?.() !== 0) return 'same'
  const closed = closedTo(mounts)
  const root = statSync(projectRoot)
  if (!isOpen(root) || !isOpen(statSync(programFile('probe'))))
    closed.set(root.uid, { file: root, path: projectRoot })
  // Root itself, without its capabilities, reads what is its own and nothing else.
  const [first, second] = [...closed.values()]
  if (first && second)
    throw new WrongNeed(
      `${JSON.stringify(first.path)} and ${JSON.stringify(second.path)} cannot both be shown in one sandbox, because each can be read only by its owner: make one of them readable for all (chmod -R a+rX).`,
    )
  if (!first) return `${nobody}:${nobody}`
  return first.file.uid === 0 ? 'same' : `${first.file.uid}:${first.file.gid}`
}

/** What only its owner may read, one for each owner. */
function closedTo(paths: readonly string[]): Map<number, { file: Stats; path: string }> {
  const files = paths.map(path => ({ path, file: statSync(path) }))
  return new Map(files.filter(({ file }) => !isOpen(file)).map(one => [one.file.uid, one]))
}

const isOpen = ({ mode }: Stats): boolean => (mode & otherMayRead) !== 0
