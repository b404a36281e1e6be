import { accessSync, constants, existsSync } from 'node:fs'
import type { ContainerRuntimeClient } from 'testcontainers'
import { CannotMeasureError } from '../sandbox.ts'

const defaultSocket = '/var/run/docker.sock'

/**
 * The client of the container engine that answers here, found as Testcontainers finds it (DOCKER_HOST, the
 * default sockets, its own properties file).
 * @throws CannotMeasureError when none answers, or it refuses us.
 */
export async function findEngine(): Promise<ContainerRuntimeClient> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  try {
    return await getContainerRuntimeClient()
  } catch (error) {
    throw new CannotMeasureError(
      `No container engine answers (${refusal() ?? firstLine(error)}): start one, or use --sandbox namespace.`,
    )
  }
}

/** A socket that is there and may not be used is another trouble than an engine that does not run. */
function refusal(): string | undefined {
  if (process.env.DOCKER_HOST || !existsSync(defaultSocket)) return undefined
  try {
    accessSync(defaultSocket, constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return `no permission for ${defaultSocket}: join the group docker`
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
