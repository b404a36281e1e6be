import type http from 'node:http'
import type { AddressInfo } from 'node:net'
import { CleanupError, messageOf, systemCode } from '../errors.ts'
import { boundConnections } from './connection-bound.ts'
import { EXPOSITION_TYPE } from './exposition.ts'
import { removeStaleSocket, validateSocketFile } from './socket-file.ts'
import { showsToken } from './token.ts'

/** Where metrics are served, and to whom. */
export type MetricsAddress =
  /** A port of 127.0.0.1, 0 for any that is free. It answers who shows the token; without one, every local user. */
  | { port: number; token?: string | undefined }
  /** The absolute path of a Unix socket, which only our own user and root may open. */
  | { socket: string }

export interface MetricsServer extends AsyncDisposable {
  /** Where it listens; of port 0 the one that was picked. */
  readonly at: { url: string } | { socket: string }
}

type Render = () => Promise<string>

/** No other machine can reach it. */
const LOOPBACK = '127.0.0.1'
const MOST_CONNECTIONS = 16
/** How long a connection may take to send its request, in ms, and how often Node looks for those that took longer. */
const PATIENCE_MS = 5_000
const CHECK_MS = 1_000
/** How long a connection may stay without a byte while it is answered, in ms: a slow tmux delays a scrape by seconds. */
const SILENCE_MS = 60_000

/**
 * Serves `GET /metrics`. `render` is asked for every scrape. Throws a CleanupError (`bad-argument`) when the address is
 * not to be had. The end removes the socket's file.
 */
export async function serveMetrics(address: MetricsAddress, render: Render): Promise<MetricsServer> {
  // Loaded only where metrics are served: an import of it loads undici too, 30 ms of a core at every start (Node 24).
  const { createServer } = await import('node:http')
  const server = createServer(
    {
      requestTimeout: PATIENCE_MS,
      headersTimeout: PATIENCE_MS,
      keepAliveTimeout: PATIENCE_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    (request, response) => {
      answer(request, response, address, render).catch((error: unknown) =>
        end(response, 500, `${messageOf(error)}\n`),
      )
    },
  )
  server.setTimeout(SILENCE_MS)
  boundConnections(server, MOST_CONNECTIONS)
  const at = await listen(server, address)
  // A daemon that has nothing else to do may end.
  server.unref()
  return {
    at,
    async [Symbol.asyncDispose]() {
      // Node removes the file of a Unix socket with this.
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  address: MetricsAddress,
  render: Render,
): Promise<void> {
  if ('port' in address) {
    // A page in a browser can reach loopback by a name of its own that it lets point here; no scraper does.
    if (!/^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(request.headers.host ?? ''))
      return end(response, 403, 'Ask by the name 127.0.0.1 or localhost.\n')
    if (address.token !== undefined && !showsToken(request.headers.authorization, address.token))
      return end(
        response.setHeader('WWW-Authenticate', 'Bearer'),
        401,
        'This port needs its token: Authorization: Bearer TOKEN.\n',
      )
  }
  if (request.url?.split('?')[0] !== '/metrics') return end(response, 404, 'There is only /metrics.\n')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return end(response.setHeader('Allow', 'GET, HEAD'), 405, 'Only GET and HEAD are answered.\n')
  end(response, 200, await render(), EXPOSITION_TYPE)
}

function end(
  response: http.ServerResponse,
  code: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  if (response.headersSent) return
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) }).end(text)
}

async function listen(server: http.Server, address: MetricsAddress): Promise<MetricsServer['at']> {
  if ('port' in address) {
    await listening(server, `port ${address.port} on ${LOOPBACK}`, 'choose another, or 0 for any', () =>
      server.listen(address.port, LOOPBACK),
    )
    return { url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}/metrics` }
  }
  const socket = validateSocketFile(address.socket, process.geteuid?.())
  await removeStaleSocket(socket)
  await listening(server, `socket ${JSON.stringify(socket)}`, 'choose another name', () => {
    // The kernel makes the file with the umask of this moment; a chmod afterwards would leave it open until then.
    const before = process.umask(0o177)
    try {
      server.listen({ path: socket, exclusive: true })
    } finally {
      process.umask(before)
    }
  })
  return { socket }
}

function listening(server: http.Server, what: string, remedy: string, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', error => {
      const why = systemCode(error) === 'EADDRINUSE' ? 'another program listens there' : messageOf(error)
      reject(new CleanupError('bad-argument', `The metrics ${what} is not to be had: ${why}; ${remedy}.`))
    })
    listen()
  })
}
