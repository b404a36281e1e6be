import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readText } from './rig.ts'
import { until } from './until.ts'

test('of a test that is killed in the middle no server, no process and no folder is left', async () => {
  const program = path.join(import.meta.dirname, 'interrupted.ts')
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const folder = String(line).trim()
  const marked = () =>
    fs
      .readdirSync('/proc')
      .filter(
        pid => /^\d+$/.test(pid) && readText(`/proc/${pid}/environ`).includes(`LEAKRIG_TEST=${folder}\0`),
      )
  // The tmux server, the pane's shell, the script, tee, and the script's child.
  expect(marked().length).toBeGreaterThan(4)
  child.kill('SIGKILL')
  await until(
    'every marked process has ended and the folder is gone',
    () => marked().length === 0 && !fs.existsSync(folder),
  )
})
