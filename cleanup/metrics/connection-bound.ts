import type http from 'node:http'
import type { Socket } from 'node:net'

/**
 * Limits a server to `limit` open connections by closing the oldest idle one for each further connection. Clients that
 * only hold connections open thus cannot shut out a client with a request; `maxConnections` would refuse the new client.
 */
export function boundConnections(server: http.Server, limit: number): void {
  // A Set iterates in the order of insertion: the oldest first.
  const open = new Set<Socket>()
  const answering = new WeakSet<Socket>()
  server.on('connection', socket => {
    const others = [...open]
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    if (open.size <= limit) return
    // When all of them have requests in progress, the oldest one has had the most time.
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
