import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type ContainerRuntimeClient, GenericContainer, type StartedTestContainer } from 'testcontainers'
import { programFile, projectRoot } from '../../../bin/programs.ts'
import { CannotMeasureError } from '../../errors.ts'
import { printable } from '../../terminal.ts'
import { connectProbe } from '../connect.ts'
import { sandboxEnvironment } from '../environment.ts'
import type { Sandbox } from '../sandbox.ts'
import { findEngine } from './engine.ts'
import { longestSilence } from './heartbeat.ts'
import { ensureImage } from './image.ts'
import { removeStaleContainers, rigLabel } from './stale-containers.ts'
import { execStream } from './stream.ts'
import { containerUser } from './user.ts'

/** Limits of one container. Ten agents at work and the bystanders take 72 processes, and 2.3 GB of summed-up RSS. */
const limits = { memoryBytes: 4 * 2 ** 30, processes: 2048, lifeSeconds: 1800, tmpBytes: 1 * 2 ** 30 }

/** A path inside the container; /dev/shm is the container's own. */
const lifeline = '/dev/shm/lifeline'

/**
 * Starts a sandbox in a container: no network, no capabilities and no way to gain any, a read-only system, the
 * project mounted read-only under its own path, and /tmp in memory. Nothing else of the machine is mounted.
 * @throws CannotMeasureError when no engine answers, or the image or the container cannot be created
 */
export async function startContainerSandbox(): Promise<Sandbox> {
  const engine = await findEngine()
  return startBy(engine).catch(refused)
}

async function startBy(engine: ContainerRuntimeClient): Promise<Sandbox> {
  await removeStaleContainers(engine)
  const container = await new SandboxContainer(await ensureImage(engine)).start()
  const program = join(import.meta.dirname, 'probe.sh')
  const probe = ['node', programFile('probe'), '/tmp', lifeline]
  const command = ['sh', program, lifeline, ...probe]
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const streams = await execStream(
    engine.container.getById(container.getId()),
    command,
    sandboxEnvironment(path),
  )
  return { kind: 'container', probe: connectProbe(streams), [Symbol.asyncDispose]: () => end(container) }
}

class SandboxContainer extends GenericContainer {
  constructor(image: string) {
    super(image)
    const hold = ['bash', join(import.meta.dirname, 'hold.sh'), lifeline, String(longestSilence)]
    this.withCommand(['timeout', String(limits.lifeSeconds), ...hold])
      .withBindMounts([{ source: projectRoot, target: projectRoot, mode: 'ro' }])
      .withTmpFs({ '/tmp': `rw,exec,mode=1777,size=${limits.tmpBytes}` })
      .withNetworkMode('none')
      .withDroppedCapabilities('ALL')
      // A set-user-id program of the image would gain capabilities.
      .withSecurityOpt('no-new-privileges')
      .withUser(containerUser())
      .withLabels(rigLabel())
      // Its Ryuk would have to be pulled, and leaves a lock file in /tmp. Our containers end by themselves (hold.sh).
      .withAutoCleanup(false)
    // Testcontainers has no methods for these: its withAutoRemove works only while this process lives.
    this.hostConfig.AutoRemove = true
    // With cgroup v1 the engine's default is the host's namespace. dockerode's types lack the field.
    Object.assign(this.hostConfig, { CgroupnsMode: 'private' })
    this.hostConfig.IpcMode = 'private'
    this.hostConfig.PidsLimit = limits.processes
    this.hostConfig.ReadonlyRootfs = true
    this.hostConfig.Memory = limits.memoryBytes
  }
}

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
async function end(container: StartedTestContainer): Promise<void> {
  const stopped = container.stop({ timeout: 0 }).catch(() => {})
  await Promise.race([stopped, delay(10_000, undefined, { ref: false })])
}
