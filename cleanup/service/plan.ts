import fs from 'node:fs'
import path from 'node:path'
import { LEAN_FLAGS, LEAN_MALLOC } from '../daemon/lean.ts'
import { CleanupError } from '../errors.ts'
import { ownUid } from '../platform/files/trust.ts'
import { findProgram } from '../platform/shell.ts'
import { requireWorkspace } from '../registry/require-workspace.ts'
import { safePath } from './safe-path.ts'

/** What a service runs, under any manager. */
export interface ServicePlan {
  /** True for the machine's manager (root), false for the user's own. */
  system: boolean
  /** Absolute path of Node. */
  node: string
  /** Absolute path of the program that has the `daemon` command. */
  program: string
  /** Options for the daemon. */
  options: string[]
  /** Absolute paths. */
  workspaces: string[]
  /** The service's environment: the variables that keep the daemon small, and PATH and TMUX_TMPDIR if set. */
  environment: Record<string, string>
  /** The user who owns all workspaces, when a system service must run as that user. */
  owner?: { uid: number }
  /** True where `systemd-notify` is on the PATH, so that the daemon can report that it is alive. */
  canNotify: boolean
  /** Which folders of the PATH were left out and why, in sentences. */
  omitted: string[]
}

/** The command that the service runs, as words. */
export const commandOf = ({ node, program, options, workspaces }: ServicePlan): string[] => [
  node,
  ...LEAN_FLAGS,
  program,
  'daemon',
  ...options,
  ...workspaces,
]

/** The process that plans the service, whose program and environment the service takes over. */
export interface Installer {
  node: string
  program: string
  environment: NodeJS.ProcessEnv
  /** Options for the daemon. */
  options?: string[]
}

/**
 * Plans a service for some workspaces. Throws a CleanupError (`no-workspace`, `bad-argument`) for a folder that does not
 * exist, for a system service whose workspaces have several owners, and for a tmux that is not safe to run.
 */
export function planService(
  workspaces: readonly string[],
  system: boolean,
  { node, program, environment, options = [] }: Installer,
): ServicePlan {
  const folders = workspaces.map(folder => {
    requireWorkspace(folder, true)
    return path.resolve(folder)
  })
  const owner = system ? ownerOf(folders) : undefined
  const { PATH, TMUX_TMPDIR } = environment
  const { path: safe, omitted } = safePath(PATH, owner?.uid ?? (system ? 0 : ownUid()))
  return {
    system,
    node: fs.realpathSync(node),
    program: fs.realpathSync(program),
    options,
    workspaces: [...new Set(folders)],
    environment: {
      ...LEAN_MALLOC,
      ...(safe && { PATH: safe }),
      ...(TMUX_TMPDIR && { TMUX_TMPDIR: path.resolve(TMUX_TMPDIR) }),
    },
    ...(owner && { owner }),
    canNotify: findProgram('systemd-notify', (safe ?? '/usr/bin:/bin').split(path.delimiter)) !== undefined,
    omitted,
  }
}

/**
 * A system service runs as the user who owns the workspaces. As root it would leave files in them that their own
 * orchestrator may not write, and would search for tmux in root's socket folder.
 */
function ownerOf(folders: readonly string[]): { uid: number } | undefined {
  const [uid = 0, ...others] = new Set(folders.map(folder => fs.statSync(folder).uid))
  if (others.length > 0)
    throw new CleanupError(
      'bad-argument',
      `The workspaces belong to several users (uid ${[uid, ...others].join(', ')}), and one system service runs as one user; install a service for each user, without --system.`,
    )
  return uid === 0 ? undefined : { uid }
}
