import { CleanupError } from '../errors.ts'
import { validateSocketFile } from './socket-file.ts'
import { validateTextfile } from './textfile.ts'
import { readToken } from './token.ts'

/** Where the metrics go. */
export interface MetricsSettings {
  /** Serve metrics on this port of 127.0.0.1; 0 picks one, and `url` says which. */
  port?: number | undefined
  /** A file with the token that a scraper of the port has to show. */
  tokenFile?: string | undefined
  /** Serve metrics on a Unix socket that is made here, for the daemon's own user only. */
  socket?: string | undefined
  /** Write metrics into this file for node_exporter's textfile collector. */
  file?: string | undefined
}

/** Checks all of it for a daemon that runs as `uid`. Throws a CleanupError (`bad-argument`). */
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
      'The metrics token is refused without a metrics port: only the port asks for it; add --metrics-port, or leave it out.',
    )
  readToken(tokenFile, uid)
}
