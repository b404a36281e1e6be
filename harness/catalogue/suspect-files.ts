import type { Rig } from '../rig/rig.ts'
import type { Resource } from '../snapshot/snapshot.ts'

/** What claude's children wrote in its session's folder: to delete it could be to throw work away. */
export function excuseWork(rig: Rig): Promise<void> {
  const why = 'an agent’s own process wrote it: it may be work, which is not a cleanup’s to delete'
  return rig.excuse(why, file(/^\/tmp\/claude-\d+\/[^/]+\/[^/]+\/open-[\d-]+$/))
}

const file = (pattern: RegExp) => (one: Resource) => one.kind === 'file' && pattern.test(one.path)

/** Claude leaves it when it is killed, and only a command that runs names it: to the cleanup it is nobody's. */
export function excuseShellSnapshot(rig: Rig): Promise<void> {
  const why = 'unattributable: only a running Bash tool tells whose a shell’s snapshot is'
  return rig.excuse(why, one => !one.owner && file(/\/\.claude\/shell-snapshots\//)(one))
}

/** After a restart only its time tells whose it was, and the user's own claudes begin within the second that clocks may differ by. */
export function excuseSnapshotInDoubt(rig: Rig): Promise<void> {
  const why = 'in doubt: a user’s claude that runs began within a second of it'
  return rig.excuse(why, file(/\/\.claude\/shell-snapshots\//))
}

/** `/tmp/claude-1a2b-cwd` holds the working folder, which all agents of a workspace share, and nothing else. */
export function excuseFolderNote(rig: Rig): Promise<void> {
  const why = 'unattributable: neither its name nor its content tells whose it is'
  return rig.excuse(why, file(/^\/tmp\/claude-[0-9a-f]+-cwd$/))
}
