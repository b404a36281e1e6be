import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { leftOf } from '../../sandbox/traces.ts'

/** An engine that answers every question with this status. */
async function engine(status: number): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end('{}'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const container = '0123456789abcdef'

test('the engine that was named is asked whether its container is gone, not the usual one', async () => {
  expect(await leftOf([{ processes: [], container, engine: await engine(404) }])).toEqual([])
})

test('an engine that does not say it is not believed', async () => {
  await expect(leftOf([{ processes: [], container, engine: await engine(500) }])).rejects.toThrow(
    `The engine does not say whether container ${container} is gone: ask it.`,
  )
})
