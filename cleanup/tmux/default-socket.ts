import fs from 'node:fs'
import path from 'node:path'

/**
 * The socket that `tmux` uses when it is told nothing, by tmux's own rule: TMUX_TMPDIR or /tmp, resolved, then
 * tmux-<uid>/default. Asked for by path, because a tmux client inside a pane would follow $TMUX instead.
 */
export function defaultSocket(): string {
  const folder = process.env.TMUX_TMPDIR || '/tmp'
  const resolved = fs.existsSync(folder) ? fs.realpathSync(folder) : folder
  return path.join(resolved, `tmux-${process.getuid?.() ?? 0}`, 'default')
}
