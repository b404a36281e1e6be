import { renameSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { createBirpc } from 'birpc'
import { ndjson } from '../probe/channel.ts'
import type { ReproductionApi } from './api.ts'
import { removeSocket, stateFolder } from './state-folder.ts'

/**
 * Serves a reproduction on a socket, to any number of clients. What a client has opened is closed when it is gone. The socket
 * gets its name only when it is served: one of that name that refuses is one that nobody serves.
 */
export async function serve(file: string, api: ReproductionApi): Promise<AsyncDisposable> {
  const clients = new Set<Socket>()
  const server = createServer(client => {
    clients.add(client)
    const opened = new Set<number>()
    client.on('error', () => {}) // it is gone
    client.once('close', () => {
      clients.delete(client)
      for (const id of opened) api.close(id).catch(() => {})
    })
    const own: ReproductionApi = {
      ...api,
      async open(wanted) {
        const id = await api.open(wanted)
        opened.add(id)
        return id
      },
    }
    createBirpc<object, ReproductionApi>(own, ndjson(client, client))
  })
  // An ending reproduction may have removed the folder.
  stateFolder()
  const unnamed = file.replace(/\.sock$/, '')
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(unnamed, resolve))
  renameSync(unnamed, file)
  const remove = () => removeSocket(file)
  process.once('exit', remove)
  return {
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', remove)
      for (const client of clients) client.destroy()
      await new Promise(resolve => server.close(resolve))
      remove()
    },
  }
}
