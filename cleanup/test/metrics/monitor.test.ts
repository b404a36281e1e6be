import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, cleanUp, recordIntent } from '../../index.ts'
import { Counters, secondsToBaseline } from '../../metrics/counters.ts'
import {
  type Health,
  healthFile,
  isFresh,
  readDaemon,
  readHealth,
  writeHealth,
} from '../../metrics/health.ts'
import { measure } from '../../metrics/measure.ts'
import { Monitor } from '../../metrics/monitor.ts'
import { layout } from '../../orchestrator.ts'
import { startOf } from '../../platform/processes/table.ts'
import { parsePrometheus } from '../support/prometheus.ts'
import { Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const value = (text: string, name: string, labels: Record<string, string> = {}): number | undefined => {
  const family =
    parsePrometheus(text).get(name.replace(/_(bucket|sum|count)$/, '')) ?? parsePrometheus(text).get(name)
  return family?.samples.find(
    sample =>
      sample.name === name && Object.entries(labels).every(([label, of]) => sample.labels[label] === of),
  )?.value
}

async function ask(url: string, options: http.RequestOptions = {}) {
  return new Promise<{ code: number | undefined; type: string | undefined; text: string }>(
    (resolve, reject) => {
      const request = http.request(url, options, response => {
        let text = ''
        response.on('data', (part: Buffer) => {
          text += part
        })
        response.on('end', () =>
          resolve({ code: response.statusCode, type: response.headers['content-type'], text }),
        )
      })
      request.on('error', reject).end()
    },
  )
}

async function endOne(id: string): Promise<AgentRef> {
  const ref = await rig.deploy(id, { claude: idle })
  await recordIntent(ref, { status: 'completed', reason: 'x' })
  return ref
}

test('a scrape has sessions, processes, files, agents, cleanups, time to baseline, and the daemon itself', async () => {
  await using monitor = await Monitor.start({ workspaces: [rig.workspace], port: 0 })
  await rig.waitUntilRunning(await rig.deploy('lives', { claude: idle }))
  const ref = await endOne('ends')
  await rig.waitUntilRunning(ref)
  monitor.check(1)
  const { workspace } = rig
  // Others may have leftovers on this machine, which count too.
  const before = await until('the scrape counts the leftovers of others only', async () => {
    const scrape = await ask(monitor.url ?? '')
    const all = (await measure([workspace])).processes?.leftovers ?? []
    const isCounted = value(scrape.text, 'leakrig_leftover_processes', {}) === all.length
    return isCounted && !all.some(({ pid }) => rig.isOwn(pid)) && scrape
  })
  expect(before).toMatchObject({ code: 200, type: 'text/plain; version=0.0.4; charset=utf-8' })
  const figures: [string, Record<string, string>, number][] = [
    ['leakrig_tmux_sessions', { state: 'active' }, 1],
    ['leakrig_tmux_sessions', { state: 'ended' }, 1],
    ['leakrig_tmux_sessions', { state: 'leftover' }, 0],
    ['leakrig_agent_processes', {}, 8],
    ['leakrig_claude_processes', { owner: 'agent' }, 0],
    ['leakrig_agents', { workspace, status: 'running' }, 1],
    ['leakrig_agents', { workspace, status: 'completed' }, 1],
    ['leakrig_pending_cleanups', { workspace }, 1],
    ['leakrig_files', { workspace, class: 'prompt' }, 2],
    ['leakrig_files', { workspace, class: 'archive' }, 0],
    ['leakrig_cleanups_total', { outcome: 'clean' }, 0],
    ['leakrig_time_to_baseline_seconds_count', {}, 0],
    ['leakrig_measure_problems', {}, 0],
  ]
  for (const [name, labels, expected] of figures)
    expect([name, value(before.text, name, labels)]).toEqual([name, expected])
  for (const name of [
    'agent_resident_bytes',
    'daemon_resident_bytes',
    'daemon_open_descriptors',
    'oldest_pending_cleanup_seconds',
    'disk_free_bytes',
    'last_check_timestamp_seconds',
  ])
    expect([name, (value(before.text, `leakrig_${name}`) ?? 0) > 0]).toEqual([name, true])

  monitor.cleaned(await cleanUp(ref, { status: 'completed', reason: 'x', graceMs: 1_000 }))
  monitor.failed()
  const after = await until('a new measurement', async () => {
    const { text } = await ask(monitor.url ?? '')
    return value(text, 'leakrig_cleanups_total', { outcome: 'clean' }) === 1 && text
  })
  expect(value(after, 'leakrig_cleanups_total', { outcome: 'failed' })).toBe(1)
  expect(value(after, 'leakrig_time_to_baseline_seconds_count')).toBe(1)
  expect(value(after, 'leakrig_time_to_baseline_seconds_sum')).toBe(secondsToBaseline(rig.entry(ref)))
  expect(value(after, 'leakrig_pending_cleanups', { workspace })).toBe(0)
  expect(value(after, 'leakrig_files', { workspace, class: 'archive' })).toBe(4)
})

test('unknown figures have no sample, and the others are there', async () => {
  await using monitor = await Monitor.start({ workspaces: [rig.workspace], port: 0 })
  fs.writeFileSync(layout.taskRegistry(rig.workspace, 'TASK-1'), 'no registry')
  const { text } = await ask(monitor.url ?? '')
  expect(text).not.toContain('leakrig_tmux_sessions')
  expect(text).not.toContain('leakrig_leftover_processes')
  expect(value(text, 'leakrig_measure_problems')).toBe(1)
  expect(value(text, 'leakrig_files', { class: 'registry' })).toBeGreaterThan(0)
})

describe('over HTTP', () => {
  test.each<[string, string, http.RequestOptions, number]>([
    ['another path', '/', {}, 404],
    ['another method', '/metrics', { method: 'POST' }, 405],
    ['another host name (DNS rebinding)', '/metrics', { headers: { Host: 'evil.example' } }, 403],
    ['localhost', '/metrics', { headers: { Host: 'localhost:1' } }, 200],
    ['a query after the path', '/metrics?x=1', { method: 'HEAD' }, 200],
  ])('%s', async (_, at, options, code) => {
    await using monitor = await Monitor.start({ workspaces: [rig.workspace], port: 0 })
    expect((await ask(new URL(at, monitor.url).href, options)).code).toBe(code)
  })

  test('it listens on loopback only, and stops when disposed', async () => {
    const monitor = await Monitor.start({ workspaces: [rig.workspace], port: 0 })
    const port = new URL(monitor.url ?? '').port
    const listening = () =>
      ['tcp', 'tcp6'].flatMap(name =>
        readText(`/proc/net/${name}`)
          .split('\n')
          .map(line => line.trim().split(/\s+/))
          .filter(
            ([, local, , state]) =>
              state === '0A' &&
              local?.endsWith(`:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`),
          )
          .map(([, local]) => local?.split(':')[0]),
      )
    expect(listening()).toEqual(['0100007F'])
    await monitor[Symbol.asyncDispose]()
    expect(listening()).toEqual([])
  })

  test('a port in use is refused in one sentence', async () => {
    await using monitor = await Monitor.start({ workspaces: [rig.workspace], port: 0 })
    const port = Number(new URL(monitor.url ?? '').port)
    await expect(Monitor.start({ workspaces: [rig.workspace], port })).rejects.toThrow(
      `The metrics port ${port} on 127.0.0.1 cannot be used: another program listens there`,
    )
  })
})

describe('a textfile', () => {
  test('is complete and readable by everybody, and no draft is left beside it', async () => {
    const folder = path.join(rig.folder, 'textfiles')
    fs.mkdirSync(folder)
    const file = path.join(folder, 'leakrig.prom')
    await using monitor = await Monitor.start({ workspaces: [rig.workspace], file })
    monitor.check(0)
    await until('it is there', () => fs.existsSync(file))
    expect(value(readText(file), 'leakrig_agents')).toBeUndefined()
    expect(value(readText(file), 'leakrig_pending_cleanups', { workspace: rig.workspace })).toBe(0)
    expect(fs.statSync(file).mode & 0o777).toBe(0o644)
    expect(fs.readdirSync(folder)).toEqual(['leakrig.prom'])
  })

  test.each([
    ['relative.prom', 'an absolute path'],
    ['/tmp/leakrig.txt', 'ends with .prom'],
    ['/no/such/folder/leakrig.prom', 'an existing folder'],
  ])('%s is refused', async (file, expected) => {
    await expect(Monitor.start({ workspaces: [rig.workspace], file })).rejects.toThrow(expected)
  })

  test('that cannot be written makes the daemon degraded, and is logged once', async () => {
    const folder = path.join(rig.folder, 'gone')
    fs.mkdirSync(folder)
    const problems: unknown[] = []
    await using monitor = await Monitor.start({
      workspaces: [rig.workspace],
      file: path.join(folder, 'x.prom'),
      log: line => problems.push(line.problem),
    })
    fs.rmdirSync(folder)
    await until('it is degraded', () => {
      monitor.check(0)
      return readHealth(rig.workspace)?.state === 'degraded'
    })
    expect(readHealth(rig.workspace)?.reasons).toEqual([
      expect.stringContaining('The metrics file could not'),
    ])
    expect(problems).toHaveLength(1)
  })
})

describe('the health file', () => {
  const health = (changes: Partial<Health> = {}): Health => ({
    pid: process.pid,
    start: startOf(process.pid) ?? 0,
    started_at: new Date().toISOString(),
    heartbeat_at: new Date().toISOString(),
    state: 'ok',
    reasons: [],
    workspaces: [rig.workspace],
    pending: 0,
    ...changes,
  })

  test('is written at the first check and at each change of state, and is removed at the end', async () => {
    const monitor = await Monitor.start({ workspaces: [rig.workspace] })
    monitor.check(3)
    expect(readHealth(rig.workspace)).toMatchObject({
      pid: process.pid,
      state: 'ok',
      reasons: [],
      pending: 3,
    })
    expect(readDaemon(rig.workspace, Date.now()).fresh).toBe(true)
    monitor.degraded('disk', 'The disk is full.')
    monitor.check(3)
    expect(readHealth(rig.workspace)).toMatchObject({ state: 'degraded', reasons: ['The disk is full.'] })
    monitor.degraded('disk', undefined)
    monitor.check(0)
    expect(readHealth(rig.workspace)).toMatchObject({ state: 'ok', reasons: [] })
    await monitor[Symbol.asyncDispose]()
    expect(
      fs.readdirSync(path.dirname(healthFile(rig.workspace))).filter(name => name.includes('health')),
    ).toEqual([])
  })

  test('is fresh while its process runs and its heartbeat is recent', () => {
    expect(isFresh(health(), Date.now())).toBe(true)
    expect(isFresh(health({ start: (startOf(process.pid) ?? 0) + 1 }), Date.now())).toBe(false)
    expect(isFresh(health(), Date.now() + 60_000)).toBe(false)
    expect(isFresh(health(), Date.now() - 60_000)).toBe(false)
    expect(isFresh(health({ heartbeat_at: 'never' }), Date.now())).toBe(false)
  })

  test.each(['', '{', '[]', '{"pid": 1}', '{"pid":"1","start":1,"state":"ok"}'])('%j is not one', text => {
    fs.writeFileSync(healthFile(rig.workspace), text)
    expect(readHealth(rig.workspace)).toBeUndefined()
    expect(readDaemon(rig.workspace, Date.now())).toEqual({ fresh: false })
  })

  test('of a killed daemon stays, and is stale', () => {
    const sleep = rig.start('sleep', ['1000'])
    writeHealth(rig.workspace, health({ pid: sleep, start: startOf(sleep) ?? 0 }))
    fs.writeFileSync(layout.daemonLock(rig.workspace), JSON.stringify({ pid: sleep, start: startOf(sleep) }))
    expect(readDaemon(rig.workspace, Date.now())).toMatchObject({ pid: sleep, fresh: true })
    execFileSync('kill', ['-9', String(sleep)])
    return until('it is stale', () => {
      const { pid, fresh } = readDaemon(rig.workspace, Date.now())
      return pid === undefined && !fresh
    })
  })
})

test('the time to baseline is unknown when the clock was set back', () => {
  const entry = (completed_at: string, finished_at: string) =>
    ({
      id: 'a',
      status: 'completed',
      completed_at,
      cleanup: { state: 'done', since: '', reason: '', finished_at },
    }) as const
  expect(secondsToBaseline(entry('2025-01-01T00:00:00Z', '2025-01-01T00:00:01.500Z'))).toBe(1.5)
  expect(secondsToBaseline(entry('2025-01-01T00:00:01Z', '2025-01-01T00:00:00Z'))).toBeUndefined()
  expect(secondsToBaseline({ id: 'a', status: 'completed' })).toBeUndefined()
  const counters = new Counters()
  counters.count('clean', entry('2025-01-01T00:00:01Z', '2025-01-01T00:00:00Z'))
  expect(counters.outcomes.get('clean')).toBe(1)
  expect(counters.timeToBaseline.samples().at(-1)?.value).toBe(0)
})
