/** @module-tag tools */

import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { recordedShell } from '../../containment/pane-shell.ts'
import { newQuietPeriod } from '../../liveness/abandoned-pane.ts'
import { detectEnd } from '../../liveness/detect-end.ts'
import { findProgram } from '../../orchestrator.ts'
import { contextSwitchesOf } from '../../platform/processes/context-switches.ts'
import { Daemon } from '../support/daemon.ts'
import { kill, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

const RUNS = 15

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Counts its runs in a file with this name. */
const shortClaude = (name: string) => `echo run >>${name}.runs; echo ready`
const runs = (name: string) => readText(path.join(rig.folder, `${name}.runs`)).split('\n').length - 1

/** How often claude is restarted, by what happens between two runs. */
const BETWEEN = {
  atOnce: '',
  sleeping: 'sleep 0.15;',
  // Waits in the shell itself, so that no child shows.
  waiting: 'read -t 0.3;',
  // Like a shell that is not scheduled on a loaded machine. The process that wakes it is not its child.
  stopped:
    '( (until read -r _ _ state _ </proc/$$/stat && [ $state = T ]; do sleep 0.05; done; sleep 0.3; kill -CONT $$) & ); kill -STOP $$;',
  computing: 'for ((i = 0; i < 40000; i++)); do :; done;',
}

test('on a loaded machine, a wrapper that restarts claude is not taken for an abandoned pane', async () => {
  const daemon = await Daemon.start(rig)
  for (let n = 0; n < 2; n++) rig.start('bash', ['-c', 'while :; do :; done'])
  const names = Object.keys(BETWEEN)
  for (const [name, between] of Object.entries(BETWEEN))
    await rig.deploy(name, {
      before: 'while :; do',
      claude: shortClaude(name),
      after: `${between} done`,
      // tmux continues a pane's own process as soon as it is stopped.
      contained: name === 'stopped',
    })
  const haveRun = () => {
    expect(daemon.events('ended')).toEqual([])
    return names.every(name => runs(name) >= RUNS)
  }
  await until('each has run often', haveRun, 50_000)
  expect(names.map(name => rig.entry(rig.ref(name)).status)).toEqual(names.map(() => 'running'))
  await daemon.stop()
})

test('a stopped shell is not quiet, however long it is stopped', async () => {
  // tmux continues its own child at once (server_child_stopped), so the shell must run below another process.
  needs('tini on the PATH', findProgram('tini') !== undefined)
  const ref = await rig.deploy('a', {
    claude: 'echo ready',
    after: 'exec bash --norc',
    contained: true,
    entry: { started_at: '2026-01-01T00:00:00Z' },
  })
  const shell = recordedShell(rig.entry(ref)) ?? 0
  await until('it is at its prompt', () =>
    rig.tmux('capture-pane', '-p', '-t', '=agent_a:').includes('bash-'),
  )
  kill(shell, 'SIGSTOP')
  await until('it is stopped', () => contextSwitchesOf(shell)?.isAsleep === false)
  const rest = newQuietPeriod()
  expect(await detectEnd(ref, rig.entry(ref), rest)).toBeUndefined()
  expect(await detectEnd(ref, rig.entry(ref), rest)).toBeUndefined()
  kill(shell, 'SIGCONT')
  expect(await until('it is found', () => detectEnd(ref, rig.entry(ref)))).toMatchObject({
    status: 'crashed',
  })
})

test('a shell that is slow to start is checked again', async () => {
  const daemon = await Daemon.start(rig)
  fs.writeFileSync(
    path.join(rig.folder, '.bashrc'),
    'for ((i = 0; i < 200000; i++)); do :; done; sleep 0.7\n',
  )
  const ref = await rig.deploy('a', {
    claude: 'echo ready; sleep 0.5',
    after: `export HOME=${rig.folder}; exec bash`,
  })
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(rig.entry(ref)).toMatchObject({
    reason: expect.stringMatching(/^nothing runs below the shell of its pane any more/),
  })
  await daemon.stop()
})

test('a script that waits for a key after claude has ended counts as abandoned too, some seconds later', async () => {
  const daemon = await Daemon.start(rig)
  const ref = await rig.deploy('a', { claude: 'echo ready; sleep 0.5', after: 'read -r key; true' })
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(rig.entry(ref)).toMatchObject({
    reason: expect.stringMatching(/^nothing runs below the shell of its pane any more/),
  })
  await daemon.stop()
})
