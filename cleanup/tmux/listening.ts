import net from 'node:net'
import { systemCode } from '../errors.ts'

/** False only when the kernel says that nobody listens: no such socket, or a socket that refuses. */
export function isListening(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const connection = net.connect(socket)
    const settle = (listening: boolean) => {
      connection.destroy()
      resolve(listening)
    }
    connection.on('connect', () => settle(true))
    connection.on('error', error => {
      const code = systemCode(error)
      settle(code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'ENOTDIR')
    })
  })
}
