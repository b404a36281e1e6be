import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { execa } from 'execa'
import { expect } from 'vitest'
import { poll } from '../../poll.ts'

export type OwnEngine = Awaited<ReturnType<typeof startEngine>>

/**
 * An engine of our own, which a test may kill. It has a network namespace of its own, because an engine removes the bridge of
 * another one. The caller stops it.
 * @param hidden folders in whose place it sees empty ones
 */
export async function startEngine(folder: string, hidden: string[] = []) {
  const socket = `${folder}/engine.sock`
  const host = `unix://${socket}`
  const places = ['data-root', 'exec-root', 'pidfile'].map(name => `--${name}=${folder}/${name}`)
  const hide = 'for folder; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done; exec $engine'
  const engine = ['dockerd', ...places, '-H', host, '--bridge=none', '--iptables=false'].join(' ')
  const daemon = execa('unshare', ['--net', '--mount', 'sh', '-c', hide, 'sh', ...hidden], {
    reject: false,
    stdio: 'ignore',
    env: { engine },
  })
  const docker = (...words: string[]) => execa('docker', ['-H', host, ...words], { reject: false })
  const answers = await poll(60_000, async () => (await docker('version')).exitCode === 0 || undefined)
  expect(answers).toBe(true)
  return {
    daemon,
    docker,
    socket,
    env: { DOCKER_HOST: host, TESTCONTAINERS_HOST_OVERRIDE: 'localhost' },
    async stop() {
      daemon.kill()
      await daemon
    },
    /** Copies an image to it from the engine that answers by default. */
    load: (image: string) => execa('sh', ['-c', 'docker save "$1" | docker -H "$2" load', 'sh', image, host]),
  }
}

/** A port of this machine that leads to a socket, as an engine on another machine would listen on one. */
export async function listenFor(socket: string): Promise<{ host: string; close: () => void }> {
  const open = new Set<Socket>()
  const server = createServer(client => {
    const engine = connect(socket)
    for (const [end, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      open.add(end)
      end.on('error', () => other.destroy()).on('close', () => other.destroy())
      end.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const close = () => {
    for (const one of open) one.destroy()
    server.close()
  }
  return { host: `tcp://127.0.0.1:${port}`, close }
}
