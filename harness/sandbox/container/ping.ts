import { get, type RequestOptions } from 'node:http'

/** The socket exists and may not be used, which is another problem than an engine that does not run. */
export const noPermission = 'no permission'

const answerWithinMs = 10_000
/** The HTTP status of an engine that requires TLS, for a request without it. */
const wantsTls = 400

/**
 * Pings an engine's address. Returns undefined for an engine that answers; otherwise the reason, in words or as the
 * system's error code.
 */
export async function unanswered(host: string, withinMs = answerWithinMs): Promise<string | undefined> {
  const address = addressOf(host)
  if (!address) return 'expected unix:///path or tcp://name:port'
  return new Promise(resolve => {
    // A connection that was kept may be to an engine that has ended.
    const options = { ...address, path: '/_ping', timeout: withinMs, agent: false }
    const request = get(options, response => {
      response.resume()
      const { statusCode } = response
      resolve(statusCode === 200 || statusCode === wantsTls ? undefined : `HTTP status ${statusCode}`)
    })
    request.once('timeout', () => {
      resolve(`no answer within ${withinMs / 1000} s`)
      request.destroy()
    })
    request.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      resolve(code === 'EACCES' ? noPermission : (code ?? message)),
    )
  })
}

/** An engine's address as Testcontainers parses it; undefined for an invalid one. */
export function addressOf(host: string): RequestOptions | undefined {
  const url = URL.parse(host)
  if (url?.protocol === 'unix:') return url.hostname ? undefined : { socketPath: url.pathname }
  const isRemote = url && ['tcp:', 'http:', 'https:'].includes(url.protocol) && url.hostname
  return isRemote ? { host: url.hostname, port: url.port } : undefined
}
