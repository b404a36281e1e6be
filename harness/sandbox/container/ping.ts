import { get, type RequestOptions } from 'node:http'

/** A socket that is there and may not be used is another trouble than an engine that does not run. */
export const noPermission = 'no permission'

const answerWithinMs = 10_000
/** What an engine with certificates answers to a question without. */
const wantsTls = 400

/**
 * Asks whoever listens at an engine's address for a sign of life. Returns why there is none, in words or as the
 * system's error code, and undefined for an engine.
 */
export async function unanswered(host: string): Promise<string | undefined> {
  const address = addressOf(host)
  if (!address) return 'expected unix:///path or tcp://name:port'
  return new Promise(resolve => {
    const request = get({ ...address, path: '/_ping', timeout: answerWithinMs }, response => {
      response.resume()
      const { statusCode } = response
      resolve(statusCode === 200 || statusCode === wantsTls ? undefined : `HTTP status ${statusCode}`)
    })
    request.once('timeout', () => {
      resolve(`no answer within ${answerWithinMs / 1000} s`)
      request.destroy()
    })
    request.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      resolve(code === 'EACCES' ? noPermission : (code ?? message)),
    )
  })
}

/** What Testcontainers makes of it too; undefined where it can not. */
export function addressOf(host: string): RequestOptions | undefined {
  const url = URL.parse(host)
  if (url?.protocol === 'unix:') return url.hostname ? undefined : { socketPath: url.pathname }
  const isRemote = url && ['tcp:', 'http:', 'https:'].includes(url.protocol) && url.hostname
  return isRemote ? { host: url.hostname, port: url.port } : undefined
}
