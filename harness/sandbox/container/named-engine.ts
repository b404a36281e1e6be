import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** An engine that the user has named. No other engine is used then, even if it answers. */
export interface NamedEngine {
  /** The setting that names it, with its value. */
  name: string
  /** unix:///path or tcp://name:port, as it was written; empty for a context that does not exist. */
  host: string
}

/**
 * The engine that the environment or the user's ~/.testcontainers.properties names, in the order of Testcontainers; then
 * the context of the docker command, which Testcontainers does not support.
 */
export function namedEngine(): NamedEngine | undefined {
  const file = '.testcontainers.properties'
  const properties = readText(join(homedir(), file)) ?? ''
  const property = (key: string) => named(`${key} in ~/${file}`, valueIn(key, properties))
  const environment = named('DOCKER_HOST', process.env.DOCKER_HOST)
  return property('tc.host') ?? environment ?? property('docker.host') ?? dockerContext()
}

function named(where: string, host: string | undefined): NamedEngine | undefined {
  return host ? { name: `${where}=${host}`, host } : undefined
}

function valueIn(key: string, properties: string): string | undefined {
  return new RegExp(`^\\s*${key.replace('.', '[.]')}\\s*[=:]\\s*(.*?)\\s*$`, 'm').exec(properties)?.[1]
}

/** A context lies in a folder that is named after the hash of its name (docs.docker.com, "Docker contexts"). */
function dockerContext(): NamedEngine | undefined {
  const folder = process.env.DOCKER_CONFIG || join(homedir(), '.docker')
  const name = process.env.DOCKER_CONTEXT || readJson(join(folder, 'config.json'))?.currentContext
  if (typeof name !== 'string' || name === '' || name === 'default') return undefined
  const hash = createHash('sha256').update(name).digest('hex')
  const host = readJson(join(folder, 'contexts/meta', hash, 'meta.json'))?.Endpoints?.docker?.Host
  return { name: `the docker context ${name}`, host: typeof host === 'string' ? host : '' }
}

function readJson(path: string) {
  try {
    return JSON.parse(readText(path) ?? 'null')
  } catch {
    return undefined
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
