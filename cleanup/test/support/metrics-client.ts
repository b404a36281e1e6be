import { execFile } from 'node:child_process'
import http from 'node:http'
import net from 'node:net'
import { promisify } from 'node:util'

/** Node keeps what it has loaded when it becomes another user, so that one need not be able to read its files. */
const PROGRAM = `
const { uid, ...target } = JSON.parse(process.argv[1])
if (uid !== undefined) { process.setgroups([]); process.setgid(uid); process.setuid(uid) }
require('node:http').get({ path: '/metrics', ...target }, answer => {
  console.log(answer.statusCode)
  answer.resume()
}).on('error', error => console.log(error.code))
`

/** What a process of its own, of another user with `uid`, gets from a metrics server: a status, or an error's code. */
export async function askAs(target: http.RequestOptions, uid?: number): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    PROGRAM,
    JSON.stringify({ ...target, uid }),
  ])
  return stdout.trim()
}

/** The status and the text that a metrics server answers with. */
export function scrape(target: http.RequestOptions): Promise<{ code: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ path: '/metrics', agent: false, ...target }, answer => {
      let text = ''
      answer.on('data', (part: Buffer) => {
        text += part
      })
      answer.on('end', () => resolve({ code: answer.statusCode, text }))
    })
    request.on('error', reject)
  })
}

/** Connections that say nothing but `words`, and stay. */
export class Holders implements Disposable {
  readonly #sockets: net.Socket[] = []
  #closed = 0

  /** How many of them the server has closed. */
  get closed(): number {
    return this.#closed
  }

  async add(count: number, target: net.NetConnectOpts, words = ''): Promise<void> {
    const connected = Array.from({ length: count }, () => {
      const socket = net.connect(target)
      this.#sockets.push(socket)
      // Also one that the server resets has closed then.
      socket.on('error', () => {})
      socket.resume()
      socket.on('close', () => {
        this.#closed += 1
      })
      return new Promise<void>(resolve => {
        socket.once('connect', () => socket.write(words, () => resolve()))
        socket.once('close', () => resolve())
      })
    })
    await Promise.all(connected)
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
