import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cleanUp } from '../../index.ts'
import { detectEnd } from '../../liveness/detect-end.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'

/* The user's tmux.conf changes nothing for liveness and cleanup. (The deploy has its own test in harness/test/orchestrator.) */

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

describe('an agent lives and is cleaned up, and the user’s session stays, with', () => {
  test.each<[string, string[]]>([
    ['a hook that splits each new window', ['set-hook -g after-new-session "split-window -d cat"']],
    ['a hook that renames each new session', ['set-hook -g session-created "rename-session other"']],
    ['dead panes that stay', ['setw -g remain-on-exit on', 'set -g detach-on-destroy off']],
    [
      'other numbers and names',
      [
        'set -g base-index 1',
        'setw -g pane-base-index 1',
        'set -g renumber-windows on',
        'setw -g automatic-rename on',
        'setw -g allow-rename on',
      ],
    ],
    [
      'commands of other names',
      [
        'set -s command-alias[100] ls="list-sessions -F mine"',
        'set -s command-alias[101] kill="kill-server"',
      ],
    ],
  ])('%s', async (_, lines) => {
    const file = path.join(rig.folder, 'tmux.conf')
    fs.writeFileSync(file, lines.join('\n'))
    rig.tmux('source-file', file)
    const ref = await rig.deploy('a', { claude: 'echo ready; sleep 1000 & wait' })
    expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
    const report = await cleanUp(ref, { status: 'completed', reason: 'it said so', graceMs: 1_000 })
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(rig.sessions()).toEqual(['user'])
  })
})
