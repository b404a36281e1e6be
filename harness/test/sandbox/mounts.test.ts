import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { test as base, expect } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { resolveMounts } from '../../sandbox/mounts.ts'
import { startNamespaceSandbox } from '../../sandbox/namespace.ts'

const program = join(projectRoot, 'bin/leakrig.ts')

/** A folder outside of the sandboxes' own ones, which every user may read. */
const test = base.extend('folder', ({}, { onCleanup }): string => {
  const folder = realpathSync(mkdtempSync('/var/tmp/leakrig-test-'))
  onCleanup(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  return folder
})

function makeFolder(path: string): string {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'file'), 'content\n')
  return path
}

const names = [
  'plain',
  'with space',
  'a:b',
  'a,b',
  'new\nline',
  'ends\n',
  'back\\040slash',
  'quote\'"',
  '-n',
  'ü#$(id)',
]

test('folders and files of every name are shown under their own paths, read-only', async ({ folder }) => {
  needsNamespaces()
  const folders = names.map(name => makeFolder(join(folder, name)))
  const file = join(makeFolder(join(folder, 'beside')), 'file')
  await using sandbox = await startNamespaceSandbox({}, { mounts: [...folders, file] })
  await sandbox.probe.reset()
  for (const path of [...folders.map(one => join(one, 'file')), file]) {
    expect((await sandbox.probe.run(['cat', path])).stdout, path).toBe('content\n')
    expect((await sandbox.probe.run(['sh', '-c', 'echo x >"$1"', 'sh', path])).stderr, path).toMatch(
      /Read-only/,
    )
  }
  const { stdout } = await sandbox.probe.run(['ls', '-a', folder])
  expect(stdout.split('\n')).not.toContain('unnamed')
  expect((await sandbox.probe.snapshot()).resources).toEqual([])
})

test('what was not named is not shown, and a second mount below a folder is read-only too', async ({
  folder,
}) => {
  needsNamespaces()
  needs('root rights', process.getuid?.() === 0)
  for (const name of ['seen', 'hidden']) makeFolder(join(folder, name))
  const point = join(folder, 'seen', 'a\nb \\134')
  mkdirSync(point)
  const ask = join(import.meta.dirname, '../fixtures/ask-sandbox.ts')
  const script = `ls ${folder}; cd ${folder}/seen; for one in *; do [ -d "$one" ] && ls "$one" && touch "$one/x" 2>&1 | grep -o Read-only; done`
  const { stdout, stderr } = spawnSync(
    'unshare',
    [
      ...['--mount', 'sh', '-c', 'mount -t tmpfs t "$1" && : >"$1/inner" && shift && exec "$@"', 'sh', point],
      ...[process.execPath, ask, `--mount=${join(folder, 'seen')}`, script],
    ],
    { encoding: 'utf8' },
  )
  expect({ stdout, stderr }).toEqual({ stdout: 'seen\ninner\nRead-only\n', stderr: '' })
})

test('a link leads to its target, which is shown under its own path', async ({ folder }) => {
  needsNamespaces()
  const target = makeFolder(join(folder, 'real/target'))
  mkdirSync(join(folder, 'links'))
  symlinkSync('../real', join(folder, 'links/way'))
  symlinkSync(target, join(folder, 'links/direct'))
  const mounts = [join(folder, 'links/way/target'), join(folder, 'links/direct')]
  expect(resolveMounts(mounts)).toEqual({ paths: [target], links: mounts.map(one => [one, target]) })
  await using sandbox = await startNamespaceSandbox({}, { mounts })
  for (const path of mounts) {
    expect((await sandbox.probe.run(['readlink', '-f', path])).stdout).toBe(`${target}\n`)
    expect((await sandbox.probe.run(['cat', join(path, 'file')])).stdout).toBe('content\n')
  }
})

test('a folder that contains another mount, or the rig’s own Node, shows all of it', async ({ folder }) => {
  needsNamespaces()
  const outer = join(folder, 'outer')
  const inner = makeFolder(join(outer, 'inner'))
  expect(resolveMounts([inner, outer, join(projectRoot, 'docs')]).paths).toEqual([
    outer,
    join(projectRoot, 'docs'),
  ])
  const node = join(outer, 'node')
  copyFileSync(process.execPath, node)
  const ask = join(import.meta.dirname, '../fixtures/ask-sandbox.ts')
  const options = [inner, outer, join(projectRoot, 'docs')].map(path => `--mount=${path}`)
  const { stdout } = await execa(node, [ask, ...options, `ls ${outer}; node -p process.execPath`])
  expect(stdout).toBe(`inner\nnode\n${node}`)
})

test('what is mounted below /tmp stays when the sandbox is emptied, and is not counted', async () => {
  needsNamespaces()
  const folder = mkdtempSync('/tmp/leakrig-test-')
  try {
    chmodSync(folder, 0o755)
    makeFolder(join(folder, 'it'))
    symlinkSync('it', join(folder, 'link'))
    await using sandbox = await startNamespaceSandbox({}, { mounts: [join(folder, 'link')] })
    await sandbox.probe.reset()
    expect((await sandbox.probe.snapshot()).resources).toEqual([])
    expect((await sandbox.probe.run(['cat', join(folder, 'link/file')])).stdout).toBe('content\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what only its owner may read is read as its owner', async ({ folder }) => {
  needsNamespaces()
  needs('root rights', process.getuid?.() === 0)
  const mine = makeFolder(join(folder, 'mine'))
  chmodSync(mine, 0o700)
  await using sandbox = await startNamespaceSandbox({}, { mounts: [mine] })
  expect((await sandbox.probe.run(['cat', join(mine, 'file')])).stdout).toBe('content\n')
  const theirs = makeFolder(join(folder, 'theirs'))
  spawnSync('chown', ['-R', '54321:54321', theirs])
  chmodSync(theirs, 0o700)
  await expect(startNamespaceSandbox({}, { mounts: [mine, theirs] })).rejects.toThrow(
    /mine" and ".*theirs" cannot both be shown in one sandbox, because each can be read only by its owner: make/,
  )
})

const refusals: [string, RegExp][] = [
  ['', /^"" cannot be mounted, because it is no path: name a folder or a file\.$/],
  [
    '/no/such',
    /^"\/no\/such" cannot be mounted, because it does not exist: name a folder or a file that exists\.$/,
  ],
  ['/etc/passwd/x', /because it does not exist/],
  ['/', /because it is the whole machine: name the folders that are needed/],
  ['/usr', /because it would cover \/usr of the sandbox: name the folders below it/],
  ['/usr/bin/', /because it would cover \/usr\/bin of the sandbox/],
  ['/tmp', /because it would cover \/tmp of the sandbox/],
  ['/proc', /because it lies in \/proc, of which each sandbox has its own: copy what is needed/],
  ['/proc/sys', /because it lies in \/proc,/],
  ['/dev/null', /because it lies in \/dev,/],
  ['/etc', /because it lies in \/etc,/],
  ['/run', /because it lies in \/run,/],
]

test.for(refusals)('%j is refused', async ([path, sentence]) => {
  expect(() => resolveMounts([homedir(), path])).toThrow(sentence)
})

test('links and special files are refused by what they are', async ({ folder }) => {
  const link = (name: string, target: string) => symlinkSync(target, join(folder, name))
  link('dangling', 'nothing')
  link('out', '/proc')
  spawnSync('mkfifo', [join(folder, 'pipe')])
  expect(() => resolveMounts([join(folder, 'dangling')])).toThrow(/because it is a link to nothing: name/)
  expect(() => resolveMounts([join(folder, 'out')])).toThrow(
    /out" cannot be mounted, because it lies in \/proc/,
  )
  expect(() => resolveMounts([join(folder, 'pipe')])).toThrow(
    /because it is a pipe: only folders and regular/,
  )
})

test('a folder with a socket on which somebody listens is refused', async ({ folder }) => {
  needsNamespaces()
  const server = createServer().listen(join(folder, 'a socket'))
  await new Promise(resolve => server.once('listening', resolve))
  await expect(startNamespaceSandbox({}, { mounts: [folder] })).rejects.toThrow(
    /because it holds the socket ".*a socket", to which a run could connect: end the program that listens there/,
  )
  server.close()
  await using sandbox = await startNamespaceSandbox({}, { mounts: [folder] })
  expect(sandbox.kind).toBe('namespace')
})

test.for(['scenarios', 'catalogue'])('%s refuses what cannot be mounted, with exit code 2', async command => {
  const args = [program, command, '--mount', '/usr/share', '--mount', '/nowhere']
  const { exitCode, stderr, stdout } = await execa(process.execPath, args, { reject: false })
  expect({ exitCode, stderr, stdout }).toEqual({
    exitCode: 2,
    stderr:
      'leakrig: "/nowhere" cannot be mounted, because it does not exist: name a folder or a file that exists.',
    stdout: '',
  })
})
