import type http from 'node:http'
import type { AddressInfo } from 'node:net'
import { CleanupError, messageOf, systemCode } from '../errors.ts'
import { boundConnections } from './connection-bound.ts'
import { EXPOSITION_TYPE } from './exposition.ts'
import { removeStaleSocket, validateSocketFile } from './socket-file.ts'
import { hasToken } from './token.ts'

/** Where metrics are served. */
export type MetricsAddress =
  /** A port of 127.0.0.1; 0 for any free one. Requests must carry the token; without a token every local user can read. */
  | { port: number; token?: string | undefined }
  /** The absolute path of a Unix socket that only our own user and root can open. */
  | { socket: string }

export interface MetricsServer extends AsyncDisposable {
  /** The address, with the real port in place of 0. */
  readonly at: { url: string } | { socket: string }
}

type Render = () => Promise<string>

const LOOPBACK = '127.0.0.1'
const MAX_CONNECTIONS = 16
/** How long a connection may take to send its request, and how often Node checks that; in ms. */
const REQUEST_TIMEOUT_MS = 5_000
const CHECK_MS = 1_000
/** How long a response may transfer nothing, in ms. A slow tmux delays a scrape by seconds. */
const IDLE_TIMEOUT_MS = 60_000

/**
 * Serves `GET /metrics`; `render` makes the text for each scrape. Throws a CleanupError (`bad-argument`) when the address
 * cannot be used. Disposing removes the socket's file.
 */
export async function serveMetrics(address: MetricsAddress, render: Render): Promise<MetricsServer> {
  // Loaded on demand: in Node 24 node:http also loads undici, which takes 30 ms of a core at each start.
  const { createServer } = await import('node:http')
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    (request, response) => {
      answer(request, response, address, render).catch((error: unknown) =>
        end(response, 500, `${messageOf(error)}\n`),
      )
    },
  )
  server.setTimeout(IDLE_TIMEOUT_MS)
  boundConnections(server, MAX_CONNECTIONS)
  const at = await listen(server, address)
  // The server alone must not keep the process running.
  server.unref()
  return {
    at,
    async [Symbol.asyncDispose]() {
      // This also removes the file of a Unix socket.
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
    // DNS rebinding: a web page can reach loopback under a host name of its own. No scraper does.
    if (!/^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(request.headers.host ?? ''))
      return end(response, 403, 'Use the host 127.0.0.1 or localhost.\n')
    if (address.token !== undefined && !hasToken(request.headers.authorization, address.token))
      return end(
        response.setHeader('WWW-Authenticate', 'Bearer'),
        401,
        'This port requires a token: Authorization: Bearer TOKEN.\n',
      )
  }
  if (request.url?.split('?')[0] !== '/metrics') return end(response, 404, 'The only path is /metrics.\n')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return end(response.setHeader('Allow', 'GET, HEAD'), 405, 'The only methods are GET and HEAD.\n')
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
    // The kernel applies the umask to the new file; until a later chmod the socket would be open to everybody.
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
      reject(new CleanupError('bad-argument', `The metrics ${what} cannot be used: ${why}; ${remedy}.`))
    })
    listen()
  })
}
