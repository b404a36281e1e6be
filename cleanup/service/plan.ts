import fs from 'node:fs'
import path from 'node:path'
import { LEAN_FLAGS, LEAN_MALLOC } from '../daemon/lean.ts'
import { CleanupError } from '../errors.ts'
import { ownUid } from '../platform/files/trust.ts'
import { requireWorkspace } from '../registry/require-workspace.ts'
import { isIn, safePath } from './safe-path.ts'

/** What a service is to run, whoever manages it. */
export interface ServicePlan {
  /** True for the machine's manager (root), false for the user's own. */
  system: boolean
  /** Absolute path of Node. */
  node: string
  /** Absolute path of the program that has the `daemon` command. */
  program: string
  /** Options for the daemon: where its metrics go. */
  options: string[]
  /** Absolute paths. */
  workspaces: string[]
  /** What goes into its environment: what keeps the daemon small, and PATH and TMUX_TMPDIR, where they are set. */
  environment: Record<string, string>
  /** The user whom all workspaces belong to, when a system service shall run as that one. */
  owner?: { uid: number }
  /** True where `systemd-notify` is on the PATH, so that the daemon can say that it is alive. */
  canNotify: boolean
  /** What was left out of the PATH and why, in sentences. */
  leftOut: string[]
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

/** What the environment of a plan is made from: this process's, and its program's. */
export interface Surroundings {
  node: string
  program: string
  environment: NodeJS.ProcessEnv
  /** Options for the daemon. */
  options?: string[]
}

/**
 * Works out what a service for some workspaces is to run. Throws a CleanupError (`no-workspace`, `bad-argument`) for
 * a folder that is not there, for a system service whose workspaces have several owners, and for a tmux that is not safe to run.
 */
export function planService(
  workspaces: readonly string[],
  system: boolean,
  { node, program, environment, options = [] }: Surroundings,
): ServicePlan {
  const folders = workspaces.map(folder => {
    requireWorkspace(folder, true)
    return path.resolve(folder)
  })
  const owner = system ? ownerOf(folders) : undefined
  const { PATH, TMUX_TMPDIR } = environment
  const { path: safe, leftOut } = safePath(PATH, owner?.uid ?? (system ? 0 : ownUid()))
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
    canNotify: isIn('systemd-notify', (safe ?? '/usr/bin:/bin').split(path.delimiter)),
    leftOut,
  }
}

/**
 * A system service runs as the user whom the workspaces belong to: as root it would leave files in them that their
 * own orchestrator may not write, and look for tmux where root's is.
 */
function ownerOf(folders: readonly string[]): { uid: number } | undefined {
  const [uid = 0, ...others] = new Set(folders.map(folder => fs.statSync(folder).uid))
  if (others.length > 0)
    throw new CleanupError(
      'bad-argument',
      `The workspaces belong to several users (uid ${[uid, ...others].join(', ')}), and one system service runs as one; install a service of its own for each user, without --system.`,
    )
  return uid === 0 ? undefined : { uid }
}
