import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hasSession } from '../../orchestrator/tmux.ts'

test.for(['server exited unexpectedly', 'lost server'])(
  'a client of tmux that is turned away asks again: %s',
  async (words, { onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
    const path = process.env.PATH
    onTestFinished(() => {
      process.env.PATH = path
      rmSync(folder, { recursive: true })
    })
    const standIn = [
      '#!/bin/sh',
      `mkdir ${folder}/asked 2>/dev/null && { echo '${words}' >&2; exit 1; }`,
      'echo mine',
      '',
    ].join('\n')
    writeFileSync(join(folder, 'tmux'), standIn, { mode: 0o755 })
    process.env.PATH = `${folder}:${path}`
    expect(await hasSession('mine')).toBe(true)
  },
)
