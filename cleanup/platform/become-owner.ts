import fs from 'node:fs'
import os from 'node:os'
import process from 'node:process'
import { CleanupError, messageOf } from '../errors.ts'
import { ownUid } from './files/trust.ts'

/** Node's types lack process.initgroups. */
type WithInitgroups = typeof process & { initgroups?: (user: string, extraGroup: number) => void }

interface User {
  uid: number
  gid: number
  /** Undefined for a uid without an entry in the user database. */
  name?: string
  home?: string
}

/**
 * The variables of root's environment that stay: those for the terminal and the service manager, and those that say where
 * agents keep their files. Others may be secret, and the owner's agents can read the environment of programs that we start.
 */
const KEPT =
  /^(PATH|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TMUX_TMPDIR|CLAUDE_CONFIG_DIR|CLAUDE_CODE_TMPDIR|LEAKRIG_\w+|NOTIFY_SOCKET|WATCHDOG_\w+|INIT_CWD|npm_lifecycle_event|npm_package_json)$/

/**
 * When root runs a command on another user's workspaces, switches this process to that user for good, before anything in
 * them is read: the user and their agents write there, and must not steer a process with root's rights. Does nothing for
 * other users or for root's own workspaces. Throws a CleanupError (`not-the-owner`) when the workspaces belong to several
 * users or the switch fails.
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
    become(userOf(uid, fs.statSync(workspace).gid))
  } catch (error) {
    throw new CleanupError(
      'not-the-owner',
      `${workspace} belongs to user ${uid}, and root could not become that user: ${messageOf(error)}. Nothing was touched; run the command as that user.`,
      { cause: error },
    )
  }
}

/** The owner of "/" counts as root: a user namespace that does not map uid 0 shows root under another uid. */
function ownerOf(workspace: string): number {
  const { uid } = fs.statSync(workspace)
  return uid === fs.statSync('/').uid ? 0 : uid
}

/** Changes the groups first and the user last, because only root may change either. */
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

/** os.userInfo() describes the effective user only, so this process switches to that user for a moment. */
function userOf(uid: number, gid: number): User {
  process.seteuid?.(uid)
  try {
    const { username, homedir, gid: primary } = os.userInfo()
    return { uid, gid: primary, name: username, home: homedir }
  } catch {
    // A uid without a name, as in a container. Group 0 would grant rights of root's, even when the folder has that group.
    return { uid, gid: gid === 0 ? uid : gid }
  } finally {
    process.seteuid?.(0)
  }
}
