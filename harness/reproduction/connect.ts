import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createBirpc } from 'birpc'
import { CannotMeasureError } from '../errors.ts'
import { ndjson } from '../probe/channel.ts'
import type { About, ReproductionApi } from './api.ts'
import { pidOf, removeSocket, socketFiles } from './state-folder.ts'

/** One that does not say what it is within so many ms is stopped, or hangs. */
const silentMs = 5_000

/** A reproduction, as another process sees it. */
export interface Connection extends Disposable {
  api: ReproductionApi
  /** Resolves when the other side is gone. */
  ended: Promise<void>
}

/** Connects to a reproduction; undefined where nobody listens. Calls that are open at its end fail. */
export async function connectTo(file: string): Promise<Connection | undefined> {
  const socket = await opened(file)
  return typeof socket === 'string' ? undefined : connection(socket)
}

/** The connection, or the code of the error. */
async function opened(file: string): Promise<Socket | string> {
  const socket = createConnection(file)
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? ''
  }
}

function connection(socket: Socket): Connection {
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

/** The reproductions of this user that run, and the pids of those that do not answer. Sockets of killed ones are removed. */
export async function runningReproductions(): Promise<{ running: Running[]; silent: number[] }> {
  const found = (await Promise.all(socketFiles().map(running))).filter(one => one !== undefined)
  return {
    running: found
      .filter(one => typeof one === 'object')
      .sort((one, other) => one.about.pid - other.about.pid),
    silent: found.filter(one => typeof one === 'number'),
  }
}

/** Removes the sockets of reproductions that were killed. */
export async function removeDeserted(): Promise<void> {
  const tried = await Promise.all(socketFiles().map(openedUnlessDeserted))
  for (const socket of tried) if (typeof socket !== 'string') socket.destroy()
}

async function openedUnlessDeserted(file: string): Promise<Socket | string> {
  const socket = await opened(file)
  // Any other error, such as too many connections, comes from one that is there.
  if (socket === 'ECONNREFUSED') removeSocket(file)
  return socket
}

/** One that does not answer, by its pid; undefined for one that is gone. */
async function running(file: string): Promise<Running | number | undefined> {
  const socket = await openedUnlessDeserted(file)
  if (typeof socket === 'string') return undefined
  using open = connection(socket)
  const about = open.api.about().then(
    about => ({ file, about }),
    () => undefined,
  )
  // Not the promise: the connection would be closed at once.
  return await Promise.race([about, delay(silentMs, pidOf(file), { ref: false })])
}
