import fs from 'node:fs'
import path from 'node:path'
import { membersOf, ownCgroup, removeCgroup } from '../platform/processes/cgroup.ts'
import { childrenOf } from '../platform/processes/children.ts'
import { startOf } from '../platform/processes/table.ts'
import { quote } from '../platform/shell.ts'
import type { Contained } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { type Launch, waitFor } from './launch.ts'
import { cgroupName } from './recorded.ts'

/** Creates a cgroup for an agent below our own and returns its folder; undefined where that is not permitted. */
export function makeCgroup(ref: AgentRef): string | undefined {
  const own = ownCgroup()
  if (!own) return undefined
  // An agent that deploys agents is in a cgroup itself. Theirs are created beside it: below it, they would count as its own.
  const folder = path.join(own.replace(/\/leakrig-[0-9a-f]{16}(\/.*)?$/, ''), cgroupName(ref))
  try {
    fs.mkdirSync(folder)
    return folder
  } catch {
    // Not delegated, or the limit of cgroups is reached. The caller falls back to another containment.
    return undefined
  }
}

/**
 * Launches the pipeline in a cgroup, or in `otherwise` where the kernel refuses the pane: the move depends on the cgroup of
 * the tmux server, which starts the pane.
 */
export function inCgroup(folder: string, pipeline: string, otherwise: Launch): Launch {
  const contained: Contained = { by: 'cgroup', path: folder }
  // The shell enters first, so everything that it starts is born inside.
  const enter = `echo $$ >${quote(path.join(folder, 'cgroup.procs'))}`
  return {
    command: [
      'bash',
      '-c',
      `{ ${enter}; } 2>/dev/null || exec "$@"; ${pipeline}`,
      'bash',
      ...otherwise.command,
    ],
    contained,
    async confirm(panePid) {
      const isInside = await waitFor(() => {
        if (membersOf(folder).includes(panePid)) return true
        // It has ended, or it already starts programs and is still outside.
        return startOf(panePid) === undefined || childrenOf(panePid)?.length !== 0 ? false : undefined
      })
      // A pane that has already ended may have left processes inside.
      if (isInside || membersOf(folder).length > 0) return contained
      removeCgroup(folder)
      return otherwise.confirm(panePid)
    },
  }
}
