import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

/* docs/registries.md tells other orchestrators the fields of the registries: all that the code declares, and no others. */

const root = path.join(import.meta.dirname, '../../..')
const page = fs.readFileSync(path.join(root, 'docs/registries.md'), 'utf8')

/** The fields in the first column of the table below a heading. */
function documented(heading: string): string[] {
  const [, part = ''] = page.split(`\n${heading}\n`)
  const [section = ''] = part.split(/\n#{2,3} /)
  return [...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name = '']) => name).sort()
}

/** The fields that an interface declares. */
function declared(file: string, name: string): string[] {
  const source = fs.readFileSync(path.join(root, 'cleanup/registry', file), 'utf8')
  const [, body = ''] = new RegExp(`export interface ${name}\\b[^{]*{\\n(.*?)\\n}`, 's').exec(source) ?? []
  return [...body.matchAll(/^ {2}([a-z_]+)\??:/gm)].map(([, field = '']) => field).sort()
}

test.each([
  ["## A task's registry", 'entries.ts', 'TaskRegistry'],
  ["## An agent's entry", 'entries.ts', 'AgentEntry'],
  ['### `tmux`', 'entries.ts', 'RecordedTmux'],
  ['### `deployed_on`', 'world.ts', 'World'],
  ['### `cleanup`', 'entries.ts', 'CleanupRecord'],
  ['## The global registry', 'entries.ts', 'GlobalRegistry'],
])('%s lists the fields of %s, %s', (heading, file, name) => {
  expect(declared(file, name).length).toBeGreaterThan(4)
  expect(documented(heading)).toEqual(declared(file, name))
})

test('what the global registry repeats is listed', () => {
  const source = fs.readFileSync(path.join(root, 'cleanup/registry/sync-global.ts'), 'utf8')
  const [, list = ''] = /SYNCED_FIELDS = \[(.*?)\]/s.exec(source) ?? []
  const fields = [...list.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
  const [row = ''] = /^\| `agents` \| map .*$/m.exec(page) ?? []
  expect(fields.length).toBeGreaterThan(5)
  expect(fields.filter(name => !row.includes(`\`${name}\``))).toEqual([])
})
