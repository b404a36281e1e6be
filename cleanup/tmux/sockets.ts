import fs from 'node:fs'
import path from 'node:path'
import type { AgentEntry } from '../registry/entries.ts'
import { isDeployedHere } from '../registry/world.ts'
import { recordedTmux } from './recorded.ts'

/*
 * The sockets on which agents may have sessions. The default one and those that the user names are trusted: a session with an
 * agent's name counts there. Recorded ones are asked, and so are the servers that are found by their processes
 * (found-servers.ts), but there a name alone proves nothing.
 */

/**
 * The socket that tmux uses by default: TMUX_TMPDIR or /tmp, its links resolved, then tmux-<uid>/default. We always name a
 * socket by its path, because a tmux client inside a pane would use $TMUX instead of the default.
 */
export const defaultSocket = (): string => socketNamed('default')

/** The socket that tmux uses with `-L <name>`. */
export function socketNamed(name: string): string {
  const folder = process.env.TMUX_TMPDIR || '/tmp'
  const resolved = fs.existsSync(folder) ? fs.realpathSync(folder) : folder
  return path.join(resolved, `tmux-${process.getuid?.() ?? 0}`, name)
}

/** The default socket, and those that the user named. */
export const trustedSockets = (): string[] => [...new Set([defaultSocket(), ...namedSockets()])]

/** Holds the sockets that the user named, as JSON: in the environment, so that a cleaner that we start outside knows them too. */
export const NAMED_SOCKETS = 'LEAKRIG_SOCKETS'

/** The folder in whose sockets servers are searched that only their processes show; everywhere, where it is not set. */
export const SEARCHED_FOLDER = 'LEAKRIG_SOCKET_FOLDER'

/** Names sockets (absolute paths) on which agents may have sessions, for this process and the cleaners that it starts. */
export function nameSockets(sockets: readonly string[]): void {
  process.env[NAMED_SOCKETS] = JSON.stringify(sockets)
}

function namedSockets(): string[] {
  try {
    const named: unknown = JSON.parse(process.env[NAMED_SOCKETS] ?? '[]')
    return Array.isArray(named) ? named.filter(one => typeof one === 'string' && path.isAbsolute(one)) : []
  } catch {
    return []
  }
}

/** The existing sockets on which agents may have sessions: the trusted ones, and those recorded at their deploys in this world. */
export function socketsOf(entries: readonly AgentEntry[]): string[] {
  const recorded = entries.filter(isDeployedHere).flatMap(entry => recordedTmux(entry)?.socket ?? [])
  return [...new Set([...trustedSockets(), ...recorded])].filter(socket => fs.existsSync(socket))
}
