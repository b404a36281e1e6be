import { execa } from 'execa'
import { expect } from 'vitest'
import { poll } from '../../poll.ts'

export type OwnEngine = Awaited<ReturnType<typeof startEngine>>

/** What an engine of our own listens on, and what it does not see. */
interface EngineOptions {
  host?: string
  /** Folders in whose place it sees empty ones. */
  hidden?: string[]
}

/**
 * An engine of our own, which a test may kill. It has a network namespace of its own, which keeps it from the machine's
 * bridges, unless it listens on a port. The caller stops it.
 */
export async function startEngine(folder: string, { host, hidden = [] }: EngineOptions = {}) {
  const own = host ?? `unix://${folder}/engine.sock`
  const places = ['data-root', 'exec-root', 'pidfile'].map(name => `--${name}=${folder}/${name}`)
  const hide = 'for folder; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done; exec $engine'
  const engine = ['dockerd', ...places, '-H', own, '--bridge=none', '--iptables=false'].join(' ')
  const flags = host ? ['--mount'] : ['--net', '--mount']
  const daemon = execa('unshare', [...flags, 'sh', '-c', hide, 'sh', ...hidden], {
    reject: false,
    stdio: 'ignore',
    env: { engine },
  })
  const stop = async () => {
    daemon.kill()
    await daemon
  }
  const docker = (...words: string[]) => execa('docker', ['-H', own, ...words], { reject: false })
  const answers = await poll(60_000, async () => (await docker('version')).exitCode === 0 || undefined)
  expect(answers).toBe(true)
  return {
    daemon,
    docker,
    stop,
    host: own,
    env: { DOCKER_HOST: own, TESTCONTAINERS_HOST_OVERRIDE: 'localhost' },
    /** Copies an image to it from the engine that answers by default. */
    load: (image: string) => execa('sh', ['-c', 'docker save "$1" | docker -H "$2" load', 'sh', image, own]),
  }
}
