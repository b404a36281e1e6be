import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isAlive } from './proc.ts'
import { Traces } from './traces.ts'

test.concurrent('a pid that the kernel gave away again is left alone', async () => {
  const traces = new Traces()
  const stranger = spawn('sleep', ['1000'], { detached: true })
  onTestFinished(() => void stranger.kill('SIGKILL'))
  await once(stranger, 'spawn')
  const { pid = 0 } = stranger
  const t = Date.now() - 60_000
  for (const role of ['bash', 'mcp', 'generation'])
    appendFileSync(join(traces.folder, 'journal'), `${JSON.stringify({ t, what: 'child', role, pid })}\n`)
  await traces.sweep()
  expect(isAlive(pid)).toBe(true)
})
