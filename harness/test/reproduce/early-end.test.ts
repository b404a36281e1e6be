import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { poll } from '../../poll.ts'
import { below, gone } from '../support/processes-below.ts'

needsNamespaces()

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

for (const [what, isNow] of [
  ['while a sandbox is tried out', (_, known) => known.some(({ command }) => / guard /.test(command))],
  ['while Vitest starts', stdout => stdout.includes('sandbox namespace (requested)')],
] as [string, (stdout: string, known: ReturnType<typeof below>) => boolean][])
  test(`TERM ${what}: it says that nothing is left`, { timeout: 300_000 }, async () => {
    const words = ['reproduce', 'own-session', '--sandbox', 'namespace']
    const running = execa(process.execPath, [program, ...words], { reject: false })
    let printed = ''
    running.stdout.on('data', chunk => {
      printed += chunk
    })
    const known = await poll(60_000, async () => {
      const all = below(running.pid ?? 0)
      return isNow(printed, all) ? all : undefined
    })
    running.kill('SIGTERM')
    const { stdout, stderr, exitCode } = await running
    expect(stdout).toMatch(
      /(^|\n)Ending the sandbox and everything in it …\nNothing is left on this machine: (the \d+ processes that had been started are gone|nothing had been started)\.$/,
    )
    expect(stderr).toBe('')
    expect(exitCode).toBe(143)
    expect(await gone(known ?? [])).toEqual([])
  })
