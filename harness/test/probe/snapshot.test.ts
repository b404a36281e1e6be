import { test as base, expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { poll } from '../../poll.ts'
import { startNamespaceSandbox } from '../../sandbox/namespace.ts'
import type { Resource, ResourceKind } from '../../snapshot/snapshot.ts'
import { ownSystem } from '../../systems/systems.ts'

needsNamespaces()

const test = base
  .extend('sandbox', { scope: 'file' }, async ({}, { onCleanup }) => {
    const sandbox = await startNamespaceSandbox()
    onCleanup(() => sandbox[Symbol.asyncDispose]())
    return sandbox
  })
  .extend('probe', async ({ sandbox }) => {
    await sandbox.probe.reset(ownSystem('none').layout)
    return sandbox.probe
  })
  .extend('places', async ({ probe }) => (await probe.hello()).places)
  .extend('see', ({ probe }) => {
    const see = <Kind extends ResourceKind>(kind: Kind, matches: (one: Of<Kind>) => boolean) =>
      poll(5_000, async () => {
        const { resources } = await probe.snapshot()
        return resources.filter((one): one is Of<Kind> => one.kind === kind).find(matches)
      })
    return see
  })

type Of<Kind extends ResourceKind> = Extract<Resource, { kind: Kind }>

test('a process is shown with its relations, and not after its end', async ({ probe, see }) => {
  const planted = await probe.plant(['sleep', '1234'])
  const seen = await see('process', one => one.pid === planted.pid)
  expect(seen).toMatchObject({ comm: 'sleep', command: 'sleep 1234', start: planted.start, sid: planted.pid })
  expect(await probe.signal(planted, 'SIGKILL')).toBe(true)
  expect(await poll(5_000, async () => (await probe.snapshot()).resources.length === 0 || undefined)).toBe(
    true,
  )
})

test('a reused pid gets no signal', async ({ probe, see }) => {
  const planted = await probe.plant(['sleep', '1234'])
  expect(await probe.signal({ ...planted, start: planted.start + 1 }, 'SIGKILL')).toBe(false)
  expect(await see('process', one => one.pid === planted.pid)).toBeDefined()
})

test('a name with brackets, spaces and a newline does not confuse the table', async ({ probe, see }) => {
  await probe.run(['cp', '/bin/sleep', '/tmp/work/a) R 1\n(b'])
  await probe.plant(['/tmp/work/a) R 1\n(b', '1234'])
  const seen = await see('process', one => one.command.includes('1234') && one.state === 'S')
  expect(seen).toMatchObject({ comm: 'a) R 1\n(b' })
})

test('stopped processes and zombies are shown as such', async ({ probe, see }) => {
  const stopped = await probe.plant(['sleep', '1234'])
  await probe.signal(stopped, 'SIGSTOP')
  expect(await see('process', one => one.pid === stopped.pid && one.state === 'T')).toBeDefined()
  // `exec` makes a parent that does not collect the child it has.
  await probe.plant(['sh', '-c', 'sleep 0.01 & exec sleep 1235'])
  expect(await see('process', one => one.comm === 'sleep' && one.state === 'Z')).toBeDefined()
})

test('open files are shown with their mode, also when they are deleted', async ({ probe, see }) => {
  await probe.plant(['sh', '-c', 'exec sleep 1234 3>/tmp/work/kept 4>/tmp/work/dropped 5</tmp/work/kept; '])
  expect(await see('descriptor', one => one.path === '/tmp/work/kept' && one.mode === 'w')).toMatchObject({
    fd: 3,
  })
  expect(await see('descriptor', one => one.path === '/tmp/work/kept' && one.mode === 'r')).toMatchObject({
    fd: 5,
  })
  await probe.run(['rm', '/tmp/work/dropped'])
  expect(await see('descriptor', one => one.path === '/tmp/work/dropped')).toMatchObject({ deleted: true })
})

test('sessions, panes, terminals and sockets of every tmux server are shown, nested servers included', async ({
  probe,
  see,
}) => {
  await probe.run(['tmux', 'new-session', '-d', '-s', 'a b', 'sleep 1234'])
  await probe.run(['tmux', '-L', 'nested', 'new-session', '-d', '-s', 'inner', 'sleep 1235'])
  const outer = await see('session', one => one.name === 'a b')
  const inner = await see('session', one => one.name === 'inner')
  expect(outer?.serverPid).not.toBe(inner?.serverPid)
  const pane = await see('pane', one => one.sessionName === 'a b')
  // Until it has become its command it is a fork of tmux.
  const isPane = (one: Of<'process'>) => one.pid === pane?.pid && one.command === 'sleep 1234'
  expect(await see('process', isPane)).toBeDefined()
  expect(await see('pty', one => one.path === pane?.tty)).toBeDefined()
  expect(await see('socket', one => one.address.endsWith('/nested'))).toBeDefined()
  expect((await probe.snapshot()).problems).toEqual([])
})

test('listening TCP sockets are shown, IPv4 and IPv6', async ({ probe, places, see }) => {
  const listen = (host: string) =>
    probe.plant([places.node, '-e', `require('node:net').createServer().listen(0, '${host}')`])
  await listen('0.0.0.0')
  expect(await see('socket', one => one.address.startsWith('tcp '))).toBeDefined()
  await listen('::')
  expect(await see('socket', one => one.address.startsWith('tcp6 '))).toBeDefined()
})

test('a tmux server that does not answer is a problem, not an empty machine', { timeout: 30_000 }, async ({
  probe,
  see,
}) => {
  await probe.run(['tmux', 'new-session', '-d', '-s', 'mute', 'sleep 1234'])
  const server = await see('server', () => true)
  const [process] = (await probe.snapshot()).resources.filter(
    one => one.kind === 'process' && one.pid === server?.pid,
  )
  await probe.signal(process as never, 'SIGSTOP')
  const { problems } = await probe.snapshot()
  expect(problems).toEqual([expect.stringMatching(/tmux did not answer within 5 s: tmux -/)])
})

test('files are classified, and a registry that does not parse is a problem', async ({ probe }) => {
  const task = '/tmp/work/.agent-workspace/TASK-1'
  await probe.write(`${task}/agent_prompt_a.txt`, 'x')
  await probe.write(`${task}/logs/a_stream.jsonl`, '{}')
  await probe.write(`${task}/archive/b_stream.jsonl`, '{}')
  await probe.write(`${task}/AGENT_REGISTRY.json`, '{"agents": [')
  const { resources, problems } = await probe.snapshot()
  const classes = resources.flatMap(one => (one.kind === 'file' ? `${one.class} ${one.bytes}` : []))
  expect(classes.sort()).toEqual(['archive 2', 'prompt 1', 'registry 12', 'stream log 2'])
  expect(problems).toEqual([expect.stringContaining('AGENT_REGISTRY.json is not a readable registry')])
  expect(resources.filter(one => one.kind === 'registry')).toEqual([])
})

test('ps counts the same processes', async ({ probe }) => {
  await probe.plant(['sleep', '1234'])
  await probe.plant(['sh', '-c', 'sleep 1235; :'])
  const agreed = await poll(5_000, async () => {
    const { resources } = await probe.snapshot()
    return (resources.length > 0 && resources.length === (await probe.countByPs())) || undefined
  })
  expect(agreed).toBe(true)
})

test('a registry is read as others write it: with a byte order mark, and with NaN', async ({
  probe,
  places,
  see,
}) => {
  const text =
    '\uFEFF{"active_count": 1, "cost": NaN, "agents": [{"id": "a", "status": "NaN", "x": -Infinity}]}'
  await probe.write(`${places.work}/.agent-workspace/TASK-1/AGENT_REGISTRY.json`, text)
  expect(await see('registry', () => true)).toMatchObject({
    active: { field: 'active_count', count: 1 },
    agents: [{ id: 'a', status: 'NaN' }],
  })
  expect((await probe.snapshot()).problems).toEqual([])
})
