import { CleanupError } from '../errors.ts'
import { validateSocketFile } from './socket-file.ts'
import { validateTextfile } from './textfile.ts'
import { readToken } from './token.ts'

/** Where the metrics go. */
export interface MetricsSettings {
  /** Serve metrics on this port of 127.0.0.1; 0 for any free one. */
  port?: number | undefined
  /** A file with the token that requests to the port must carry. */
  tokenFile?: string | undefined
  /** Serve metrics on a Unix socket at this path, for the daemon's own user only. */
  socket?: string | undefined
  /** Write metrics into this file for node_exporter's textfile collector. */
  file?: string | undefined
}

/** Checks the settings of a daemon that runs as `uid`. Throws a CleanupError (`bad-argument`). */
export function validateMetricsSettings(
  { port, tokenFile, socket, file }: MetricsSettings,
  uid = process.geteuid?.(),
): void {
  if (file !== undefined) validateTextfile(file)
  if (socket !== undefined) validateSocketFile(socket, uid)
  if (tokenFile === undefined) return
  if (port === undefined)
    throw new CleanupError(
      'bad-argument',
      'The metrics token is refused, because only a metrics port uses one; add --metrics-port, or leave the token out.',
    )
  readToken(tokenFile, uid)
}
