/** @module-tag tools */
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { engine, objection } from '../support/container.ts'
import { failing, HeldReproduction } from '../support/held-reproduction.ts'
import { TerminalWindow } from '../support/terminal-window.ts'

needs(objection?.replace(/^no /, '') ?? '', objection === undefined)

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

test('a shell in a container has a terminal, and the container is gone afterwards', {
  timeout: 300_000,
}, async () => {
  await using terminal = new TerminalWindow()
  terminal.type(`${process.execPath} ${program} reproduce own-session --sandbox container`)
  await terminal.shows(/q leave$/, 180_000)
  terminal.press('s')
  await terminal.shows(/\(own-session\) \/tmp\/work [#$]$/)
  terminal.type('stty size; cat /etc/hostname')
  const [, hostname = ''] = await terminal.shows(/^50 100\n([0-9a-f]{12})\n/m)
  const env = { XDG_RUNTIME_DIR: terminal.runtime }
  const other = await execa(process.execPath, [program, 'shell', '-c', 'leakrig sweep | tail -1'], { env })
  expect(other.stdout).toMatch(/^nothing was done; --apply would carry out \d+ actions: /)
  terminal.type('exit')
  await terminal.shows(/q leave$/)
  terminal.press('q')
  await terminal.shows(/Nothing is left on this machine: the container is gone\.\n>$/)
  await expect(engine?.container.dockerode.getContainer(hostname).inspect()).rejects.toThrow(
    /no such container/i,
  )
})

test('every command that the findings show works in a container', { timeout: 300_000 }, async () => {
  await using held = await HeldReproduction.of('nested-server+descriptors', 'container')
  const { shown } = held
  expect(shown.length).toBeGreaterThan(5)
  const [agent = ''] = /worker-\d+-\w+/.exec(held.text) ?? []
  expect(await failing([...shown, `leakrig explain ${agent}`, 'leakrig sweep'], held)).toBe('')
})
