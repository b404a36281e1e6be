import { execFile } from 'node:child_process'
import http from 'node:http'
import net from 'node:net'
import { promisify } from 'node:util'

/** Loads Node first and changes the user then: the other user may not be able to read Node's files. */
const PROGRAM = `
const { uid, ...target } = JSON.parse(process.argv[1])
if (uid !== undefined) { process.setgroups([]); process.setgid(uid); process.setuid(uid) }
require('node:http').get({ path: '/metrics', ...target }, response => {
  console.log(response.statusCode)
  response.resume()
}).on('error', error => console.log(error.code))
`

/**
 * Requests the metrics from a separate process, which runs as the user `uid` if given. Returns the HTTP status, or the
 * code of a connection error.
 */
export async function statusAs(target: http.RequestOptions, uid?: number): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    PROGRAM,
    JSON.stringify({ ...target, uid }),
  ])
  return stdout.trim()
}

/** Requests the metrics and returns the HTTP status and the body. */
export function scrape(target: http.RequestOptions): Promise<{ code: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ path: '/metrics', agent: false, ...target }, response => {
      let text = ''
      response.on('data', (part: Buffer) => {
        text += part
      })
      response.on('end', () => resolve({ code: response.statusCode, text }))
    })
    request.on('error', reject)
  })
}

/** Connections that send `text` once and stay open until they are disposed of. */
export class OpenConnections implements Disposable {
  readonly #sockets: net.Socket[] = []
  #closed = 0

  /** How many of them the server has closed. */
  get closed(): number {
    return this.#closed
  }

  async add(count: number, target: net.NetConnectOpts, text = ''): Promise<void> {
    const connected = Array.from({ length: count }, () => {
      const socket = net.connect(target)
      this.#sockets.push(socket)
      // A reset by the server emits an error before "close", which counts it.
      socket.on('error', () => {})
      socket.resume()
      socket.on('close', () => {
        this.#closed += 1
      })
      return new Promise<void>(resolve => {
        socket.once('connect', () => socket.write(text, () => resolve()))
        socket.once('close', () => resolve())
      })
    })
    await Promise.all(connected)
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
