import fs from 'node:fs'
import path from 'node:path'
import { dir } from 'tmp-promise'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MassDeaths } from '../../daemon/mass-death.ts'
import { initRegistries } from '../../orchestrator.ts'

let deaths: MassDeaths
let events: unknown[]
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await dir({ prefix: 'lr-', unsafeCleanup: true })
  remove = made.cleanup
  const workspace = path.join(fs.realpathSync(made.path), '.agent-workspace')
  await initRegistries(workspace)
  vi.useFakeTimers({ toFake: ['performance'] })
  events = []
  deaths = new MassDeaths(workspace, {
    log: line => void events.push(line),
    cleaned: () => {},
    failed: () => {},
    massDeath: () => {},
    degraded: () => {},
  })
})
afterEach(async () => {
  vi.useRealTimers()
  await remove()
})

const later = (ms: number) => void vi.advanceTimersByTime(ms)
/** Found dead by one check. */
const die = (...names: string[]) => {
  for (const name of names) deaths.died(name, performance.now())
}
const announce = (isAnyChecking: boolean, live: string[] = []) => deaths.announce(() => live, isAnyChecking)

test('a mass death is announced although a server that hangs is asked all the time', () => {
  die('a', 'b', 'c', 'd', 'e')
  announce(true, ['hung'])
  later(9_000)
  announce(true, ['hung'])
  expect(events).toEqual([])
  later(2_000)
  announce(true, ['hung'])
  expect(events).toMatchObject([{ event: 'mass-death', gone: 5, of: 6 }])
  announce(true, ['hung'])
  later(11_000)
  announce(true, ['hung'])
  expect(events).toHaveLength(1)
  die('f', 'g', 'h', 'i', 'j')
  announce(false, ['hung'])
  expect(events).toHaveLength(2)
})

test('deaths that were too few are not counted together with those of another time', () => {
  die('a', 'b', 'c')
  announce(true, ['hung'])
  later(11_000)
  announce(true, ['hung'])
  later(1_000)
  die('d', 'e')
  later(11_000)
  announce(true, ['hung'])
  announce(false, ['hung'])
  expect(events).toEqual([])
})
