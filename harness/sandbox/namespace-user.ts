import { statSync } from 'node:fs'
import { programFile, projectRoot } from '../../bin/programs.ts'

const nobody = 65534
const otherMayRead = 0o004

/**
 * Who the machine takes the processes of a namespace sandbox for, as "uid:gid", or "same" for the rig's own user.
 * A user has no choice. Root runs them as nobody, or as the project's owner where nobody else may read it.
 */
export function namespaceUser(): string {
  if (process.getuid?.() !== 0) return 'same'
  const [root, program] = [statSync(projectRoot), statSync(programFile('probe'))]
  if (root.mode & program.mode & otherMayRead) return `${nobody}:${nobody}`
  return root.uid === 0 ? 'same' : `${root.uid}:${root.gid}`
}
