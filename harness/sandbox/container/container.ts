import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Container } from 'dockerode'
import { programFile } from '../../../bin/programs.ts'
import { CannotMeasureError } from '../../errors.ts'
import { printable } from '../../terminal.ts'
import { connectProbe } from '../connect.ts'
import { sandboxEnvironment } from '../environment.ts'
import type { SandboxNeeds } from '../needs.ts'
import type { Sandbox } from '../sandbox.ts'
import { type Engine, findEngine } from './engine.ts'
import { onFreest } from './engines.ts'
import { longestSilence } from './heartbeat.ts'
import { installedInContainer } from './install-image.ts'
import { placeInContainer } from './rig-files.ts'
import { ensureRunImage, type RunImage } from './run-image.ts'
import { hangOf } from './silence.ts'
import { removeStaleContainers, rigLabel } from './stale-containers.ts'
import { execStream } from './stream.ts'

/**
 * Limits of one container. Ten agents at work and the bystanders take 72 processes, and 2.3 GB of summed-up RSS. A container
 * lives for half an hour: four of five seconds pass without a heartbeat.
 */
const limits = { memoryBytes: 4 * 2 ** 30, processes: 2048, silentSeconds: 1440, tmpBytes: 1 * 2 ** 30 }

/** A path inside the container; /dev/shm is the container's own. */
const lifeline = '/dev/shm/lifeline'

/** A script beside this file. */
const script = (name: string): string => placeInContainer(join(import.meta.dirname, name))

/**
 * Starts a sandbox in a container: no network, no capabilities and no way to gain any, a read-only system with the rig's
 * files and the mounts copied into it, and /tmp in memory. Nothing of the machine is mounted, which may be another one than
 * the engine's.
 * @throws CannotMeasureError when no engine answers, or the image or the container cannot be created
 * @throws WrongNeed for something that cannot be copied
 */
export async function startContainerSandbox(needs: SandboxNeeds = {}): Promise<Sandbox> {
  const { engines = [] } = needs
  if (engines.length > 0) return onFreest(engines, engine => startBy(engine, needs)).catch(refused)
  return startBy(await findEngine(), needs).catch(refused)
}

async function startBy(engine: Engine, needs: SandboxNeeds): Promise<Sandbox> {
  await removeStaleContainers(engine)
  const image = await runImageFor(engine, needs)
  const container = await create(engine, image).catch(async error => {
    // Somebody has removed the image since.
    if (error?.statusCode !== 404) throw error
    images.clear()
    return create(engine, await runImageFor(engine, needs))
  })
  await container.start()
  const { linksInTmp: links } = image
  const counted = [String(links.length * 2), ...links.flat()]
  const probe = ['node', placeInContainer(programFile('probe')), '/tmp', lifeline]
  const command = ['bash', script('probe.sh'), lifeline, ...counted, ...probe]
  const install = needs.install && installedInContainer
  const streams = await execStream(container, command, environment(image, install))
  const over = new AbortController()
  const ended = engine.address
    ? Promise.race([streams.ended, hangOf(engine.address, over.signal)])
    : streams.ended
  return {
    kind: 'container',
    image: needs.image,
    engine: engine.address,
    install,
    probe: connectProbe({ ...streams, ended }),
    traces: () => ({
      processes: [],
      container: container.id,
      ...(engine.address !== undefined && { engine: engine.address }),
    }),
    [Symbol.asyncDispose]: () => {
      over.abort()
      return end(container)
    },
  }
}

const images = new Map<string, { image: Promise<RunImage>; at: number }>()

/** Looks at the files again after ten minutes, which also notes that the image is used. */
function runImageFor(engine: Engine, needs: SandboxNeeds): Promise<RunImage> {
  const key = JSON.stringify([engine.address, needs])
  const known = images.get(key)
  if (known && performance.now() - known.at < 600_000) return known.image
  const image = ensureRunImage(engine, needs)
  images.set(key, { image, at: performance.now() })
  image.catch(() => images.delete(key))
  return image
}

function create({ container: { dockerode } }: Engine, image: RunImage): Promise<Container> {
  const hold = [script('hold.sh'), lifeline, longestSilence, limits.silentSeconds].map(String)
  const host = {
    // Not our own removal, which works only while this process lives. A container ends by itself (hold.sh).
    AutoRemove: true,
    NetworkMode: 'none',
    Tmpfs: { '/tmp': `rw,exec,mode=1777,size=${limits.tmpBytes}` },
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    // A set-user-id program of the image would gain capabilities.
    SecurityOpt: ['no-new-privileges'],
    // With cgroup v1 the engine's default is the host's namespace. dockerode's types lack the field.
    CgroupnsMode: 'private',
    IpcMode: 'private',
    PidsLimit: limits.processes,
    Memory: limits.memoryBytes,
  }
  return dockerode.createContainer({
    Image: image.name,
    Entrypoint: ['bash', ...hold],
    Cmd: [],
    Env: Object.entries(withoutHooks).map(variable => variable.join('=')),
    // It would start processes in the sandbox now and then.
    Healthcheck: { Test: ['NONE'] },
    User: image.user,
    WorkingDir: '/tmp',
    Labels: rigLabel(),
    HostConfig: host,
  })
}

/** Variables of an image with which Node and bash would run its files before ours. */
const withoutHooks = { BASH_ENV: '', ENV: '', NODE_OPTIONS: '' }

const environment = ({ path, shown }: RunImage, install: string | undefined): Record<string, string> => ({
  ...withoutHooks,
  ...sandboxEnvironment(path, shown, install),
})

/** An engine may have died since it was found: a worker of Vitest looks for it once for all its files. */
function refused(error: unknown): never {
  if (error instanceof CannotMeasureError) throw error
  throw new CannotMeasureError(
    `The sandbox’s container did not start (${printable(String(error))}): check the container engine, or use --sandbox namespace.`,
  )
}

/**
 * Stops a container, which ends its probe's stream. An error means that the engine has removed it already. If the engine
 * hangs, the container ends by itself, so this waits at most ten seconds.
 */
async function end(container: Container): Promise<void> {
  const stopped = container.stop({ t: 0 }).catch(() => {})
  await Promise.race([stopped, delay(10_000, undefined, { ref: false })])
}
