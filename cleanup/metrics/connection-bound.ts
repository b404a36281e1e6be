import type http from 'node:http'
import type { Socket } from 'node:net'

/**
 * Keeps a server at no more than `most` connections. For each one too many the oldest idle one is closed, so that
 * clients which only hold connections open do not shut out one that asks. `maxConnections` would refuse the new one.
 */
export function boundConnections(server: http.Server, most: number): void {
  // A Set keeps the order in which they came.
  const open = new Set<Socket>()
  const answering = new WeakSet<Socket>()
  server.on('connection', socket => {
    const others = [...open]
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    if (open.size <= most) return
    // Where every one of them waits for an answer or does not read it, the oldest has had the most time.
    const dropped = others.find(one => !answering.has(one)) ?? others[0]
    if (!dropped) return
    open.delete(dropped)
    dropped.destroy()
  })
  server.on('request', ({ socket }, response) => {
    answering.add(socket)
    response.once('close', () => answering.delete(socket))
  })
}
