import type { SystemUnderTest } from '../rig/system-under-test.ts'
import type { Resource } from '../snapshot/snapshot.ts'

/*
 * Files that an agent leaves and that bear no trace of it, or that may be work of its own: a cleanup is right to leave
 * them. A cell that makes some ignores them, and the report prints which were left, and why.
 */

const file = (pattern: RegExp) => (one: Resource) => one.kind === 'file' && pattern.test(one.path)

/** What claude's children wrote in the folder of its session. */
export function ignoreAgentsWork(rig: SystemUnderTest): Promise<void> {
  const why = 'an agent’s own process wrote it: it may be work, which a cleanup must not delete'
  return rig.ignore(why, file(/^\/tmp\/claude-\d+\/[^/]+\/[^/]+\/open-[\d-]+$/))
}

/** A killed claude leaves it, and nothing but the command line of a running Bash tool names it. */
export function ignoreShellSnapshot(rig: SystemUnderTest): Promise<void> {
  const why = 'owner unknown: only a running Bash tool shows whose a shell’s snapshot is'
  return rig.ignore(why, one => !one.owner && file(/\/\.claude\/shell-snapshots\//)(one))
}

/**
 * After a restart only its time shows whose a shell snapshot was, and the user's own claudes begin within the second by
 * which clocks may differ.
 */
export function ignoreUncertainShellSnapshots(rig: SystemUnderTest): Promise<void> {
  const why = 'owner unknown: a user’s claude that runs began within a second of it'
  return rig.ignore(why, file(/\/\.claude\/shell-snapshots\//))
}

/** `/tmp/claude-1a2b-cwd` holds the working folder and nothing else, and all agents of a workspace share that folder. */
export function ignoreFolderNote(rig: SystemUnderTest): Promise<void> {
  const why = 'owner unknown: neither its name nor its content shows whose it is'
  return rig.ignore(why, file(/^\/tmp\/claude-[0-9a-f]+-cwd$/))
}
