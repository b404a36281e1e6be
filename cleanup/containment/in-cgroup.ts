import fs from 'node:fs'
import path from 'node:path'
import { membersOf, ownCgroup, removeCgroup } from '../platform/processes/cgroup.ts'
import { childrenOf } from '../platform/processes/children.ts'
import { startOf } from '../platform/processes/table.ts'
import { quote } from '../platform/shell.ts'
import type { Contained } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { confirmed } from './confirmed.ts'
import type { Launch } from './contain.ts'
import { cgroupName } from './recorded.ts'

/** Makes a cgroup for an agent below our own; undefined where we may not. */
export function makeCgroup(ref: AgentRef): string | undefined {
  const own = ownCgroup()
  if (!own) return undefined
  // An agent that deploys agents is in a cgroup itself; theirs stand beside it, so that they are not taken for its own.
  const folder = path.join(own.replace(/\/leakrig-[0-9a-f]{16}(\/.*)?$/, ''), cgroupName(ref))
  try {
    fs.mkdirSync(folder)
    return folder
  } catch {
    // Not delegated, or no more may be made: there are other ways.
    return undefined
  }
}

/** Whether the kernel lets the pane in depends on where the tmux server is; it is launched otherwise where it does not. */
export function inCgroup(folder: string, pipeline: string, otherwise: Launch): Launch {
  const contained: Contained = { by: 'cgroup', path: folder }
  // The shell goes in before anything else: what it starts from then on is born there.
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
      const isIn = await confirmed(() => {
        if (membersOf(folder).includes(panePid)) return true
        // It has ended, or it starts programs already and is not in.
        return startOf(panePid) === undefined || childrenOf(panePid)?.length !== 0 ? false : undefined
      })
      // A pane that has ended already may have left processes in it.
      if (isIn || membersOf(folder).length > 0) return contained
      removeCgroup(folder)
      return otherwise.confirm(panePid)
    },
  }
}
