import { join } from 'node:path'

/** The folders of a sandbox. Its root is /tmp, because claude itself writes there. */
export function placesBelow(root: string): SandboxFolders {
  return {
    root,
    home: join(root, 'home'),
    tmux: join(root, 'tmux'),
    work: join(root, 'work'),
    own: join(root, 'leakrig'),
    node: process.execPath,
  }
}

/** The variable by which the bundled cleanup, wherever a system has it, logs its signals to a file of the rig's own. */
export const cleanupLog = ({ own }: Pick<SandboxFolders, 'own'>): Record<string, string> => ({
  LEAKRIG_CLEANUP_LOG: join(own, 'cleanup.ndjson'),
})

/** The same folders, with the project in a folder of another name. */
export function withProject(places: SandboxFolders, name: string): SandboxFolders {
  return { ...places, work: join(places.root, name) }
}

/** The folders inside a sandbox, the same in every kind of sandbox. */
export interface SandboxFolders {
  /** The sandbox's private folder; everything a scenario makes lies below it. */
  root: string
  home: string
  tmux: string
  /** The project that agents work on. */
  work: string
  /** The rig's own journals and gates; left out of snapshots. */
  own: string
  /** The Node that the probe runs on, and every program of ours in the sandbox. */
  node: string
  /** What the install step of the system has made; undefined without one. */
  install?: string
}
