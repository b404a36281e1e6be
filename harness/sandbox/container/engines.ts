import Docker from 'dockerode'
import { CannotMeasureError } from '../../errors.ts'
import { printable } from '../../terminal.ts'
import { WrongNeed } from '../needs.ts'
import { followBuild, inspected } from './build.ts'
import { onStoppedEngine } from './ending.ts'
import type { Engine } from './engine.ts'
import { addressOf, unanswered } from './ping.ts'
import { hangOf } from './silence.ts'
import { countContainers } from './stale-containers.ts'

/** How long an engine that did not answer is left alone, ms. */
const silentMs = 30_000
const silentUntil = new Map<string, number>()
const known = new Map<string, Engine>()

/**
 * Starts something on the engine that has the fewest sandboxes for each of its processors, and on the next one where an engine
 * has died. Nothing is shared with other workers or rigs: each engine knows its containers.
 * @throws CannotMeasureError when none answers
 */
export async function onFreest<Result extends AsyncDisposable>(
  addresses: readonly string[],
  start: (engine: Engine) => Promise<Result>,
  asked?: Parameters<typeof hangOf>[2],
): Promise<Result> {
  const silent: string[] = []
  for (const address of await byLoad(addresses, silent)) {
    try {
      return await orHangs(address, start(engineAt(address)), asked)
    } catch (error) {
      // What is wrong with the sandbox would be so on every engine.
      const hangs = error instanceof Error && onStoppedEngine.test(error.message)
      const reason = hangs ? 'no answer any more' : await unanswered(address)
      if (reason === undefined) throw error
      noteSilent(address)
      silent.push(silenceOf(address, reason))
    }
  }
  throw new CannotMeasureError(
    `No container engine answers (${silent.join('; ')}): start one, or name others with --engine.`,
  )
}

/** Rejects when the engine hangs meanwhile. What has started when it goes on is ended. */
async function orHangs<Result extends AsyncDisposable>(
  address: string,
  started: Promise<Result>,
  asked?: Parameters<typeof hangOf>[2],
): Promise<Result> {
  const over = new AbortController()
  const hangs = hangOf(address, over.signal, asked).then(reason => {
    void started.then(late => late[Symbol.asyncDispose]()).catch(() => {})
    throw new CannotMeasureError(reason)
  })
  return Promise.race([started, hangs]).finally(() => over.abort())
}

/** @throws CannotMeasureError for an engine that does not answer: at the beginning of a run each of them has to */
export async function requireEngines(addresses: readonly string[]): Promise<void> {
  const reasons = await Promise.all(addresses.map(address => unanswered(address)))
  const silent = addresses.flatMap((address, at) => (reasons[at] ? silenceOf(address, reasons[at]) : []))
  if (silent.length === 0) return
  throw new CannotMeasureError(
    `A container engine does not answer (${silent.join('; ')}): start it, or leave its --engine out.`,
  )
}

/**
 * One engine has two addresses where a socket is behind a link, a port or another name, and would count as two. What it says
 * of itself may be so on two engines; a container is on one.
 * @throws WrongNeed where one of the other addresses shows the container, too
 */
export async function requireOnlyAt(
  address: string,
  container: string | undefined,
  others: readonly string[],
): Promise<void> {
  if (container === undefined) return
  const isAt = (other: string) =>
    engineAt(other)
      .container.dockerode.getContainer(container)
      .inspect()
      .then(
        () => true,
        () => false,
      )
  for (const other of others)
    if (await isAt(other))
      throw new WrongNeed(
        `--engine ${printable(other)} and --engine ${printable(address)} are the same engine: name each engine once.`,
      )
}

const silenceOf = (address: string, reason: string): string => `${printable(address)}: ${reason}`

function noteSilent(address: string): void {
  silentUntil.set(address, performance.now() + silentMs)
}

/** The engines that answer, the freest first; those that have as many sandboxes in any order, or all workers would take the same. */
async function byLoad(addresses: readonly string[], silent: string[]): Promise<string[]> {
  const loads = addresses.map(async address => {
    if ((silentUntil.get(address) ?? 0) > performance.now()) {
      silent.push(silenceOf(address, 'no answer a moment ago'))
      return []
    }
    const reason = await unanswered(address)
    if (reason === undefined) return { address, load: await loadOf(engineAt(address)), any: Math.random() }
    noteSilent(address)
    silent.push(silenceOf(address, reason))
    return []
  })
  const answering = (await Promise.all(loads)).flat()
  return answering
    .sort((one, other) => one.load - other.load || one.any - other.any)
    .map(({ address }) => address)
}

/** Sandboxes for each processor, of all rigs. An engine that dies meanwhile comes last. */
async function loadOf(engine: Engine): Promise<number> {
  try {
    const [containers, { NCPU = 1 }] = await Promise.all([
      countContainers(engine),
      engine.container.dockerode.info(),
    ])
    return containers / NCPU
  } catch {
    return Infinity
  }
}

/** The engine at an address, whether it answers or not. */
export function engineAt(address: string): Engine {
  const engine = known.get(address) ?? makeEngine(address)
  known.set(address, engine)
  return engine
}

function makeEngine(address: string): Engine {
  const { socketPath, host, port } = addressOf(address) ?? {}
  const dockerode = new Docker(
    socketPath ? { socketPath } : { host: String(host), port: Number(port), protocol: 'http' },
  )
  return {
    address,
    container: { dockerode },
    image: {
      exists: async name => (await inspected(dockerode, name.string)) !== undefined,
      pull: async name => followBuild(dockerode, await dockerode.pull(name.string)),
    },
  }
}
