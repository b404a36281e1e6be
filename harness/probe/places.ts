import { join } from 'node:path'
import type { Places } from './api.ts'

/** The sandbox's folders. Claude itself writes to /tmp, which is why the root is there. */
export function placesBelow(root: string): Places {
  const work = join(root, 'work')
  return {
    root,
    home: join(root, 'home'),
    tmux: join(root, 'tmux'),
    work,
    workspace: join(work, '.agent-workspace'),
    own: join(root, 'leakrig'),
    node: process.execPath,
  }
}
