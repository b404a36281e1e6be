import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serveMetrics } from '../../metrics/serve.ts'
import { Daemon } from '../support/daemon.ts'
import { OpenConnections, scrape } from '../support/metrics-client.ts'
import { Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

// A client that may connect may also hold connections open, which must not shut out a client with a request.

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const HALF = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n'
const WHOLE = `${HALF}\r\n`

test.each([
  ['16 silent connections', 16, ''],
  ['100 silent connections', 100, ''],
  ['100 connections with half a request', 100, HALF],
  ['100 connections that sent a request and stay', 100, WHOLE],
  ['100 connections that send requests and read no response', 100, WHOLE.repeat(50)],
])('%s do not shut out a scraper', async (_, count, words) => {
  const daemon = await Daemon.start(rig, '--metrics-port', '0')
  const port = Number(new URL(String(daemon.events('metrics')[0]?.url)).port)
  using holders = new OpenConnections()
  await holders.add(count, { port, host: '127.0.0.1' }, words)
  for (let n = 0; n < 3; n++) {
    expect(await scrape({ port, host: '127.0.0.1' })).toMatchObject({ code: 200 })
    await holders.add(count, { port, host: '127.0.0.1' }, words)
  }
  await daemon.stop()
})

test('100 silent connections do not shut out a scraper of the Unix socket', async () => {
  const socketPath = path.join(rig.folder, 'metrics.sock')
  const daemon = await Daemon.start(rig, '--metrics-socket', socketPath)
  using holders = new OpenConnections()
  await holders.add(100, { path: socketPath })
  expect(await scrape({ socketPath })).toMatchObject({ code: 200 })
  await daemon.stop()
})

test.each([
  ['that send nothing', ''],
  ['that sent half a request', HALF],
])('connections %s are closed after a short time, also below the limit', async (_, words) => {
  const daemon = await Daemon.start(rig, '--metrics-port', '0')
  const port = Number(new URL(String(daemon.events('metrics')[0]?.url)).port)
  using holders = new OpenConnections()
  await holders.add(10, { port, host: '127.0.0.1' }, words)
  await until('all are closed', () => holders.closed === 10, 20_000)
  await daemon.stop()
})

describe('while responses take long', () => {
  const answers: ((text: string) => void)[] = []
  const render = () => new Promise<string>(resolve => answers.push(resolve))
  const release = () => {
    for (const answer of answers) answer('leakrig_x 1\n')
  }
  let socketPath: string
  beforeEach(() => {
    answers.length = 0
    socketPath = path.join(rig.folder, 'metrics.sock')
  })

  test('a waiting scraper is not shut out by silent connections', async () => {
    await using _ = await serveMetrics({ socket: socketPath }, render)
    using holders = new OpenConnections()
    const scraped = scrape({ socketPath })
    await until('its request arrived', () => answers.length === 1)
    await holders.add(100, { path: socketPath })
    await until('the limit holds', () => holders.closed >= 85)
    release()
    expect(await scraped).toEqual({ code: 200, text: 'leakrig_x 1\n' })
  })

  test('the limit also holds when all connections are waiting: the oldest is closed', async () => {
    await using _ = await serveMetrics({ socket: socketPath }, render)
    using holders = new OpenConnections()
    for (let n = 1; n <= 20; n++) {
      await holders.add(1, { path: socketPath }, WHOLE)
      await until('its request arrived', () => answers.length === n)
    }
    const scraped = scrape({ socketPath })
    await until('its request arrived', () => answers.length === 21)
    await until('no more than 16 are open', () => holders.closed === 5)
    release()
    expect(await scraped).toEqual({ code: 200, text: 'leakrig_x 1\n' })
  })
})
