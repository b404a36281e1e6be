import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { poll } from '../../poll.ts'
import type { ProcessResource } from '../../snapshot/snapshot.ts'
import { below, gone } from '../support/processes-below.ts'

needsNamespaces()

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

/** Ctrl-C reaches the whole foreground group of the terminal; the other two signals reach one process. */
const ways: [NodeJS.Signals, 'group' | 'process'][] = [
  ['SIGINT', 'group'],
  ['SIGTERM', 'process'],
  ['SIGKILL', 'process'],
]

for (const { scenario, tags } of [
  { scenario: '2-manual-kill', tags: [] },
  { scenario: '4-ten-agents', tags: ['long'] },
])
  test.for(ways)(
    `%s in the middle of scenario ${scenario} leaves no process, tmux server or mount`,
    { timeout: 180_000, tags },
    async ([signal, target]) => {
      const args = [program, 'scenarios', scenario, '--sandbox', 'namespace']
      const rig = execa(process.execPath, args, { detached: true, reject: false, all: true })
      const root = rig.pid ?? 0
      const seen = new Map<string, ProcessResource>()
      // Now agents are at work in their panes.
      const inTheMiddle = await poll(60_000, async () => {
        for (const one of below(root)) seen.set(one.id, one)
        return [...seen.values()].some(({ comm }) => comm === 'tee') || undefined
      })
      expect(inTheMiddle).toBe(true)
      process.kill(target === 'group' ? -root : root, signal)
      const { exitCode, all } = await rig
      if (signal !== 'SIGKILL') {
        expect(all).toContain(`interrupted by ${signal}; until then:\n0 pass; system hybrid`)
        expect(exitCode).toBe(128 + constants.signals[signal])
      }
      expect(await gone([...seen.values()])).toEqual([])
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('leakrig')
    },
  )
