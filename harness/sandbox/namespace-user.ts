import { statSync } from 'node:fs'
import { programFile, projectRoot } from '../../bin/programs.ts'

const nobody = 65534
const otherMayRead = 0o004

/**
 * The user outside the namespace that the processes of a sandbox run as, as "uid:gid", or "same" for the rig's own user.
 * Only root has a choice: it runs them as nobody, or as the project's owner where no other user may read the project.
 */
export function namespaceUser(): string {
  if (process.getuid?.() !== 0) return 'same'
  const [root, program] = [statSync(projectRoot), statSync(programFile('probe'))]
  if (root.mode & program.mode & otherMayRead) return `${nobody}:${nobody}`
  return root.uid === 0 ? 'same' : `${root.uid}:${root.gid}`
}
