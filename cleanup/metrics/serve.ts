import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { CleanupError, systemCode, words } from '../errors.ts'
import { EXPOSITION_TYPE } from './exposition.ts'

export interface MetricsServer extends AsyncDisposable {
  /** Where it listens; of port 0 the one that was picked. */
  readonly url: string
}

/** Only the machine itself can reach it: what it tells is nobody else's business, and it asks for no password. */
const LOOPBACK = '127.0.0.1'
/** How long a connection may take to send its question, in ms. */
const PATIENCE_MS = 5_000

/**
 * Serves `GET /metrics` on loopback. `render` is asked for every scrape. Throws a CleanupError (`bad-argument`) when
 * the port is not to be had.
 */
export async function serveMetrics(port: number, render: () => Promise<string>): Promise<MetricsServer> {
  const server = http.createServer(
    { requestTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS },
    (request, response) => {
      answer(request, response, render).catch((error: unknown) => end(response, 500, `${words(error)}\n`))
    },
  )
  server.maxConnections = 16
  await listen(server, port)
  // A daemon that has nothing else to do may end.
  server.unref()
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}/metrics`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  render: () => Promise<string>,
): Promise<void> {
  // A page in a browser can reach loopback by a name of its own that it lets point here; no scraper does.
  if (!/^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(request.headers.host ?? ''))
    return end(response, 403, 'Ask by the name 127.0.0.1 or localhost.\n')
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

function listen(server: http.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', error => {
      const why = systemCode(error) === 'EADDRINUSE' ? 'another program listens there' : words(error)
      reject(
        new CleanupError(
          'bad-argument',
          `The metrics port ${port} on ${LOOPBACK} is not to be had: ${why}; choose another, or 0 for any.`,
        ),
      )
    })
    server.listen(port, LOOPBACK, resolve)
  })
}
