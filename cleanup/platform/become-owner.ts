import fs from 'node:fs'
import os from 'node:os'
import process from 'node:process'
import { CleanupError, messageOf } from '../errors.ts'
import { ownUid } from './files/trust.ts'

/** Node has it (process.initgroups); its types do not. */
type WithInitgroups = typeof process & { initgroups?: (user: string, extraGroup: number) => void }

interface User {
  uid: number
  gid: number
  /** Undefined for a number that no user has. */
  name?: string
  home?: string
}

/**
 * What stays of root's environment: how to speak to the terminal and the service manager, and where whoever runs the command says that
 * the agents keep things. The rest may be secret, and the owner's agents can read the environment of what we start.
 */
const KEPT =
  /^(PATH|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TMUX_TMPDIR|CLAUDE_CONFIG_DIR|CLAUDE_CODE_TMPDIR|LEAKRIG_\w+|NOTIFY_SOCKET|WATCHDOG_\w+|INIT_CWD|npm_lifecycle_event|npm_package_json)$/

/**
 * When root runs a command on a user's workspaces, makes this process that user's, for good and before anything of
 * theirs is read: what is written there, by the user or by their agents, must not be done with root's rights. For
 * anybody else, and where the workspaces are root's, nothing happens. Throws a CleanupError (`not-the-owner`) where
 * the workspaces belong to several users, or the system does not let us.
 */
export function becomeOwner(workspaces: readonly string[]): void {
  if (ownUid() !== 0) return
  const owners = new Map(workspaces.map(workspace => [ownerOf(workspace), workspace]))
  const [[uid, workspace] = [0, ''], ...others] = owners
  if (others.length > 0)
    throw new CleanupError(
      'not-the-owner',
      `The workspaces belong to several users (${[...owners].map(([of, one]) => `${one} to ${of}`).join(', ')}), and root works as their owner; run the command once for each user.`,
    )
  if (uid === 0) return
  try {
    become(lookUp(uid, fs.statSync(workspace).gid))
  } catch (error) {
    throw new CleanupError(
      'not-the-owner',
      `${workspace} belongs to user ${uid}, and root could not become that user: ${messageOf(error)}. Nothing was touched; run the command as that user.`,
      { cause: error },
    )
  }
}

/** Whoever owns "/" is root: a user namespace that does not map root's number shows root as another user. */
function ownerOf(workspace: string): number {
  const { uid } = fs.statSync(workspace)
  return uid === fs.statSync('/').uid ? 0 : uid
}

/** Groups first, the user last: without root's rights nothing more can be changed, which is how it is to be. */
function become({ uid, gid, name, home = '/' }: User): void {
  if (name === undefined) process.setgroups?.([gid])
  else (process as WithInitgroups).initgroups?.(name, gid)
  process.setgid?.(gid)
  process.setuid?.(uid)
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid) throw new Error('it is still root')
  const { env } = process
  for (const variable of Object.keys(env)) if (!KEPT.test(variable)) delete env[variable]
  Object.assign(env, { HOME: home, ...(name && { USER: name, LOGNAME: name }) })
}

/** Node tells of the effective user only, so this process is that one for a moment. */
function lookUp(uid: number, gid: number): User {
  process.seteuid?.(uid)
  try {
    const { username, homedir, gid: primary } = os.userInfo()
    return { uid, gid: primary, name: username, home: homedir }
  } catch {
    // A number without a name, as in a container. Root's group is root's, whoever a folder of it belongs to.
    return { uid, gid: gid === 0 ? uid : gid }
  } finally {
    process.seteuid?.(0)
  }
}
