import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { startContainerSandbox } from '../../sandbox/container/container.ts'
import { findEngine } from '../../sandbox/container/engine.ts'
import { chooseSandbox } from '../../sandbox/start.ts'

let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  for (const name of ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG']) vi.stubEnv(name, '')
  vi.stubEnv('HOME', home)
  return () => {
    vi.unstubAllEnvs()
    rmSync(home, { recursive: true })
  }
})

const hosts: [string, string][] = [
  ['unix:///nowhere/docker.sock', 'ENOENT'],
  ['tcp://127.0.0.1:1', 'ECONNREFUSED'],
  ['elsewhere', 'expected unix:///path or tcp://name:port'],
  ['ssh://me@elsewhere', 'expected unix:///path or tcp://name:port'],
]

test.for(hosts)('with DOCKER_HOST=%s no other engine is tried', async ([host, reason]) => {
  vi.stubEnv('DOCKER_HOST', host)
  await expect(findEngine()).rejects.toThrow(
    `The container engine at DOCKER_HOST=${host} does not answer (${reason}): start it, name another, or use --sandbox namespace.`,
  )
})

test('auto reports that the engine at DOCKER_HOST does not answer, and takes a namespace sandbox', async () => {
  vi.stubEnv('DOCKER_HOST', 'unix:///nowhere')
  expect(await chooseSandbox('auto')).toEqual({
    kind: 'namespace',
    why: 'The container engine at DOCKER_HOST=unix:///nowhere does not answer (ENOENT)',
  })
})

test('--sandbox container reports it in one sentence, without control characters, and exits with 3', async () => {
  const args = [join(projectRoot, 'bin/leakrig.ts'), 'scenarios', '2-', '--sandbox', 'container']
  const env = { DOCKER_HOST: 'unix:///no\u001b[2Jwhere\u009b' }
  const { exitCode, stderr } = await execa(process.execPath, args, { env, reject: false })
  expect(stderr).toBe(
    'leakrig: The container engine at DOCKER_HOST=unix:///no\\u{1b}[2Jwhere\\u{9b} does not answer (ENOENT): start it, name another, or use --sandbox namespace.',
  )
  expect(exitCode).toBe(3)
})

test('a server there that is no container engine is refused', async () => {
  const server = createServer((_, response) => response.writeHead(404).end()).listen(0)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  vi.stubEnv('DOCKER_HOST', `tcp://127.0.0.1:${port}`)
  await expect(findEngine()).rejects.toThrow(/does not answer \(HTTP status 404\)/)
})

test('an engine that dies while a sandbox starts is reported in one sentence too', async () => {
  const server = createServer((request, response) => {
    if (/_ping|info/.test(request.url ?? '')) response.end('{}')
    else request.socket.destroy()
  }).listen(join(home, 'engine.sock'))
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  vi.stubEnv('DOCKER_HOST', `unix://${home}/engine.sock`)
  vi.stubEnv('TESTCONTAINERS_HOST_OVERRIDE', 'localhost')
  await expect(startContainerSandbox()).rejects.toThrow(
    'The sandbox’s container did not start (Error: socket hang up): check the container engine, or use --sandbox namespace.',
  )
})

test('the engine in ~/.testcontainers.properties is used in the same way', async () => {
  writeFileSync(join(home, '.testcontainers.properties'), 'x=y\ndocker.host = unix:///nowhere\n')
  await expect(findEngine()).rejects.toThrow(
    'The container engine at docker.host in ~/.testcontainers.properties=unix:///nowhere does not answer (ENOENT)',
  )
})

test('the context of the docker command is used in the same way', async () => {
  const folder = join(home, '.docker/contexts/meta', createHash('sha256').update('far').digest('hex'))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(home, '.docker/config.json'), '{"currentContext":"far"}')
  writeFileSync(join(folder, 'meta.json'), '{"Endpoints":{"docker":{"Host":"unix:///nowhere"}}}')
  await expect(findEngine()).rejects.toThrow(
    'The container engine at the docker context far does not answer (ENOENT)',
  )
  vi.stubEnv('DOCKER_CONTEXT', 'no-such-context')
  await expect(findEngine()).rejects.toThrow(
    'The container engine at the docker context no-such-context does not answer (',
  )
})
