import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { onStoppedEngine } from '../../sandbox/container/ending.ts'
import type { Engine } from '../../sandbox/container/engine.ts'
import { onFreest, requireEngines, requireOnlyAt } from '../../sandbox/container/engines.ts'
import { hangOf } from '../../sandbox/container/silence.ts'
import { chooseSandbox } from '../../sandbox/start.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let made = 0

/** What answers as an engine does, as long as it neither hangs nor has died. */
async function anEngine(containers = 0, container = '') {
  made += 1
  const path = join(folder, `${made}.sock`)
  let hangs = false
  const server: Server = createServer(({ url = '' }, response) => {
    if (hangs) return
    if (/\/containers\/c\d\/json/.test(url) && !url.includes(`/${container}/`)) response.statusCode = 404
    if (/\/images\/|\/build/.test(url)) {
      response.statusCode = url.includes('/build') ? 500 : 404
      return response.end(JSON.stringify({ message: 'no image for this architecture' }))
    }
    const all = Array.from({ length: containers }, () => ({}))
    const body = url.includes('/info') ? { NCPU: 1 } : url.includes('/containers/json') ? all : 'OK'
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  }).listen(path)
  await once(server, 'listening')
  const dies = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  onTestFinished(dies)
  return {
    address: `unix://${path}`,
    dies,
    hangs: () => {
      hangs = true
    },
  }
}

const quick = { everyMs: 100, times: 2 }
const sandboxOn = ({ address }: Engine) => ({ address, [Symbol.asyncDispose]: async () => {} })

test('a sandbox starts on the engine with the fewest, and on the next where that one dies or hangs meanwhile', async () => {
  const [free, busy] = [await anEngine(), await anEngine(3)]
  const addresses = [busy.address, free.address]
  const started: (string | undefined)[] = []
  const start = async (engine: Engine) => {
    started.push(engine.address)
    return sandboxOn(engine)
  }
  expect((await onFreest(addresses, start, quick)).address).toBe(free.address)
  const dying = async (engine: Engine) => {
    if (engine.address !== free.address) return sandboxOn(engine)
    await free.dies()
    throw new Error('socket hang up')
  }
  expect((await onFreest(addresses, dying, quick)).address).toBe(busy.address)
})

test('an engine that hangs while a sandbox starts loses it to another one, and what starts late is ended', async () => {
  const [free, busy] = [await anEngine(), await anEngine(3)]
  const late = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const start = async (engine: Engine) => {
    if (engine.address !== free.address) return sandboxOn(engine)
    free.hangs()
    await late.promise
    return { ...sandboxOn(engine), [Symbol.asyncDispose]: async () => ended.resolve() }
  }
  const { address } = await onFreest([busy.address, free.address], start, quick)
  expect(address).toBe(busy.address)
  late.resolve()
  await ended.promise
})

test('what is wrong with the sandbox is so on every engine, and is tried on one', async () => {
  const engines = [await anEngine(), await anEngine()]
  let starts = 0
  const start = async () => {
    starts += 1
    throw new Error('no such image')
  }
  await expect(
    onFreest(
      engines.map(one => one.address),
      start,
      quick,
    ),
  ).rejects.toThrow(/^no such image$/)
  expect(starts).toBe(1)
})

test('where no engine is left, one sentence names all of them', async () => {
  const engines = [await anEngine(), await anEngine()]
  const [one = '', other = ''] = engines.map(({ address }) => address)
  const start = async () => {
    for (const engine of engines) await engine.dies()
    throw new Error('socket hang up')
  }
  const message = await onFreest([one, other], start, quick).catch(error => error.message)
  expect(message.replaceAll(one, 'ONE').replaceAll(other, 'OTHER')).toMatch(
    /^No container engine answers \((?:ONE: ENOENT; OTHER: ENOENT|OTHER: ENOENT; ONE: ENOENT)\): start one, or name others with --engine\.$/,
  )
  const again = await onFreest([one], start, quick).catch(error => error.message)
  expect(again.replaceAll(one, 'ONE')).toBe(
    'No container engine answers (ONE: no answer a moment ago): start one, or name others with --engine.',
  )
})

test('at the beginning every engine has to answer', async () => {
  const [one, other] = [await anEngine(), await anEngine()]
  await requireEngines([one.address, other.address])
  await other.dies()
  await expect(requireEngines([one.address, other.address])).rejects.toThrow(
    `A container engine does not answer (${other.address}: ENOENT): start it, or leave its --engine out.`,
  )
})

test('an engine without an image, which it cannot make, is named with the problem', async () => {
  const [one, other] = [await anEngine(), await anEngine()]
  const chosen = chooseSandbox('container', false, { engines: [one.address, other.address] })
  const message = await chosen.catch(error => error.message)
  expect(message.replace(one.address, 'ONE').replace(/leakrig-sandbox:\w+/, 'IMAGE')).toMatch(
    /^On ONE: The image IMAGE could not be built \(.*no image for this architecture.*\): where no registry can be reached, /,
  )
})

test('an engine that is named by two addresses is refused: both show the same container', async () => {
  const [one, other] = [await anEngine(0, 'c1'), await anEngine(0, 'c2')]
  const same = join(folder, 'link.sock')
  symlinkSync(one.address.slice('unix://'.length), same)
  await requireOnlyAt(other.address, 'c2', [one.address])
  await expect(requireOnlyAt(`unix://${same}`, 'c1', [other.address, one.address])).rejects.toThrow(
    `--engine ${one.address} and --engine unix://${same} are the same engine: name each engine once.`,
  )
})

test('an engine that hangs while a sandbox runs is one that stopped; a slow answer now and then is none', async () => {
  const engine = await anEngine()
  const over = new AbortController()
  const hang = hangOf(engine.address, over.signal, quick)
  engine.hangs()
  expect(await hang).toMatch(onStoppedEngine)
  expect(await Promise.race([hangOf(engine.address, AbortSignal.abort(), quick), 'waits'])).toBe('waits')
})
