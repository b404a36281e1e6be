import fs from 'node:fs'
import path from 'node:path'
import type { AgentEntry } from '../registry/entries.ts'
import { isDeployedHere } from '../registry/world.ts'
import { recordedTmux } from './recorded.ts'

/**
 * The socket that tmux uses by default: TMUX_TMPDIR or /tmp, its links resolved, then tmux-<uid>/default. We always name a
 * socket by its path, because a tmux client inside a pane would use $TMUX instead of the default.
 */
export function defaultSocket(): string {
  const folder = process.env.TMUX_TMPDIR || '/tmp'
  const resolved = fs.existsSync(folder) ? fs.realpathSync(folder) : folder
  return path.join(resolved, `tmux-${process.getuid?.() ?? 0}`, 'default')
}

/** The existing sockets on which agents may have sessions: those recorded at their deploys in this world, and the default one. */
export function socketsOf(entries: readonly AgentEntry[]): string[] {
  const recorded = entries.filter(isDeployedHere).flatMap(entry => recordedTmux(entry)?.socket ?? [])
  return [...new Set([defaultSocket(), ...recorded])].filter(socket => fs.existsSync(socket))
}
