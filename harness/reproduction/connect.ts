import { once } from 'node:events'
import { createConnection } from 'node:net'
import { createBirpc } from 'birpc'
import { CannotMeasureError } from '../errors.ts'
import { ndjson } from '../probe/channel.ts'
import type { About, ReproductionApi } from './api.ts'
import { removeSocket, socketFiles } from './state-folder.ts'

/** A reproduction, as another process sees it. */
export interface Connection extends Disposable {
  api: ReproductionApi
  /** Resolves when the other side is gone. */
  ended: Promise<void>
}

/** Connects to a reproduction; undefined where nobody listens. Calls that are open at its end fail. */
export async function connectTo(file: string): Promise<Connection | undefined> {
  const socket = createConnection(file)
  try {
    await once(socket, 'connect')
  } catch {
    return undefined
  }
  const rpc = createBirpc<ReproductionApi>({}, { ...ndjson(socket, socket), timeout: -1 })
  let isOver = false
  const over = () => new CannotMeasureError('The reproduction has ended.')
  socket.on('error', () => {}) // `close` follows
  const ended = new Promise<void>(resolve => {
    socket.once('close', () => {
      isOver = true
      rpc.$rejectPendingCalls(({ reject }) => reject(over()))
      resolve()
    })
  })
  const call = (name: string | symbol, args: unknown[]) =>
    // What is sent to nobody would never be answered.
    isOver ? Promise.reject(over()) : Reflect.get(rpc, name)(...args)
  const api = new Proxy({} as ReproductionApi, {
    get: (_, name) => (name === 'then' ? undefined : (...args: unknown[]) => call(name, args)),
  })
  return { api, ended, [Symbol.dispose]: () => void socket.destroy() }
}

export interface Running {
  file: string
  about: About
}

/** The reproductions of this user that run. Sockets of those that were killed are removed. */
export async function runningReproductions(): Promise<Running[]> {
  const found = await Promise.all(
    socketFiles().map(async file => {
      using connection = await connectTo(file)
      if (connection) return [{ file, about: await connection.api.about() }]
      removeSocket(file)
      return []
    }),
  )
  return found.flat().sort((one, other) => one.about.pid - other.about.pid)
}
