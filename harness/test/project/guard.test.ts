import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { poll } from '../../poll.ts'

test('a test that is killed leaves no daemon, not even one that it has stopped', async () => {
  const fixture = join(import.meta.dirname, '../fixtures/stopped-daemon.ts')
  const killed = spawn(process.execPath, [fixture], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(killed.stdout, 'data')
  const { pid, folder } = JSON.parse(String(line))
  onTestFinished(() => {
    if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  expect(existsSync(`/proc/${pid}`)).toBe(true)
  killed.kill('SIGKILL')
  const isGone = async () => (!existsSync(`/proc/${pid}`) && !existsSync(folder)) || undefined
  expect(await poll(10_000, isGone)).toBe(true)
})
