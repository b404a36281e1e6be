import type { ContainerRuntimeClient } from 'testcontainers'
import { CannotMeasureError } from '../../errors.ts'
import { printable } from '../../terminal.ts'
import { type NamedEngine, namedEngine } from './named-engine.ts'
import { addressOf, noPermission, unanswered } from './ping.ts'

/** A container engine, as far as sandboxes need one: that of Testcontainers, or one of several that `--engine` names. */
export interface Engine {
  /** Its address; undefined for the only one. */
  address?: string
  container: Pick<ContainerRuntimeClient['container'], 'dockerode'>
  image: Pick<ContainerRuntimeClient['image'], 'exists' | 'pull'>
}

const defaultSocket = '/var/run/docker.sock'
const unusable = 'DEBUG=testcontainers* says why'

/**
 * The client of the container engine that the user has named, or else of the one that Testcontainers finds.
 * @throws CannotMeasureError when that engine does not answer, or refuses access
 */
export async function findEngine(): Promise<ContainerRuntimeClient> {
  const named = namedEngine()
  const silence = await unanswered(named?.host ?? `unix://${defaultSocket}`)
  if (named && silence) throw silent(named, silence)
  // Testcontainers would try this socket first and wait for ever.
  if (!named && silence?.startsWith('no answer')) throw noEngine(`${silence ?? unusable} at ${defaultSocket}`)
  if (named) process.env.DOCKER_HOST ||= named.host
  const { getContainerRuntimeClient } = await import('testcontainers')
  const client = await getContainerRuntimeClient().catch(() => undefined)
  if (named && !(client && isAt(client, named))) throw silent(named, unusable)
  if (client) return client
  if (silence === noPermission) throw noEngine(`${silence} for ${defaultSocket}: join the group docker`)
  throw noEngine(silence === 'ENOENT' ? `no ${defaultSocket}` : `${silence ?? unusable} at ${defaultSocket}`)
}

function silent({ name }: NamedEngine, reason: string): CannotMeasureError {
  return new CannotMeasureError(
    `The container engine at ${printable(name)} does not answer (${reason}): start it, name another, or use --sandbox namespace.`,
  )
}

function noEngine(reason: string): CannotMeasureError {
  return new CannotMeasureError(
    `No container engine answers (${reason}): start one, or use --sandbox namespace.`,
  )
}

/** When the named engine fails, Testcontainers silently takes another one. */
function isAt({ container }: ContainerRuntimeClient, { host }: NamedEngine): boolean {
  // dockerode's types do not know them.
  const modem: { socketPath?: string; host?: string } = Object(container.dockerode.modem)
  const address = addressOf(host)
  return modem.socketPath ? modem.socketPath === address?.socketPath : modem.host === address?.host
}
