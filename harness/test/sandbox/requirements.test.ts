import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runTool } from '../../probe/tools.ts'
import { requirePrograms } from '../../sandbox/requirements.ts'
import type { Sandbox } from '../../sandbox/sandbox.ts'

const folder = join(tmpdir(), `leakrig-programs-${randomUUID()}`)
// Not while the file is loaded: where a filter leaves out all its tests, nothing would remove it.
beforeAll(() => mkdirSync(folder))
afterAll(() => rmSync(folder, { recursive: true }))

/** Stands for a sandbox: the machine itself, with another PATH. */
async function problemWith(
  names: string[],
  standIns: Record<string, string> = {},
  forCatalogue = false,
): Promise<string | undefined> {
  const bin = mkdtempSync(join(folder, 'bin-'))
  for (const name of names) symlinkSync(`/usr/bin/${name}`, join(bin, name))
  for (const [name, script] of Object.entries(standIns))
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  vi.stubEnv('PATH', bin)
  vi.stubEnv('TMUX_TMPDIR', mkdtempSync(join(folder, 'tmux-')))
  const run = ([file = '', ...args]: string[]) => runTool(file, args)
  const sandbox = { kind: 'namespace', probe: { run } } as unknown as Sandbox
  return requirePrograms(sandbox, forCatalogue).then(
    () => undefined,
    error => error.message,
  )
}

const all = ['sh', 'bash', 'ps', 'tmux', 'sleep']

test('what a run needs is named with its package', async () => {
  expect(await problemWith(all)).toBeUndefined()
  expect(await problemWith(all.filter(name => name !== 'ps'))).toMatch(
    /^The rig needs the program ps in the namespace sandbox, and ps is not there: .* apt-get install procps/,
  )
  expect(await problemWith(all.filter(name => name !== 'tmux'))).toMatch(/and found no tmux: install it/)
  expect(await problemWith(all, {}, true)).toMatch(/needs the program perl/)
  expect(await problemWith([...all, 'perl'], {}, true)).toBeUndefined()
})

test('another shell under the name bash is refused', async () => {
  const names = all.filter(name => name !== 'bash')
  expect(await problemWith(names, { bash: 'exec sh "$@"' })).toMatch(
    /needs the program bash .*, and bash is another shell: install it/,
  )
})

const broken: [string, string, RegExp][] = [
  ['crashes', 'kill -SEGV $$', /tmux was killed with SIGSEGV: tmux -V/],
  ['fails', 'echo broken >&2; exit 1', /exit code 1: broken/],
  [
    'crashes later',
    'case $1 in -V) echo tmux 3.4;; *) kill -SEGV $$;; esac',
    /tmux was killed with SIGSEGV: tmux -L leakrig-check/,
  ],
]

test.for(broken)('a tmux that %s is reported as broken, not as missing', async ([, script, how]) => {
  const names = all.filter(name => name !== 'tmux')
  const said = await problemWith(names, { tmux: script })
  expect(said).toMatch(/^The tmux in the namespace sandbox does not work \(.*\): repair it/)
  expect(said).toMatch(how)
})

test('a tmux that does not answer is reported as broken, not as missing', async () => {
  const run = async ([file]: string[]) => {
    if (file === 'tmux') throw new Error('tmux did not answer within 5 s: tmux -V')
    return { code: 0, stdout: '', stderr: '' }
  }
  const sandbox = { kind: 'container', probe: { run } } as unknown as Sandbox
  await expect(requirePrograms(sandbox, false)).rejects.toThrow(
    /^The tmux in the container sandbox does not work \(tmux did not answer within 5 s: tmux -V\)/,
  )
})
