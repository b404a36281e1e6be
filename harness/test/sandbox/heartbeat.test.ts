import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'

/** The scripts that keep a container running, run here on the machine, without an engine. */
const scripts = join(projectRoot, 'harness/sandbox/container')
const silenceSeconds = 3

async function newLifeline(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'leakrig-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return join(folder, 'lifeline')
}

function hold(lifeline: string, lifeSeconds = 1000) {
  const args = [join(scripts, 'hold.sh'), lifeline, String(silenceSeconds), String(lifeSeconds)]
  const held = execa('bash', args, { reject: false })
  onTestFinished(() => void held.kill())
  return held
}

/** Opens the lifeline as probe.sh does; the first heartbeat means that there is a probe. */
async function firstSign(lifeline: string): Promise<FileHandle> {
  await execa('sh', ['-c', 'until [ -p "$1" ]; do sleep 0.01; done', 'sh', lifeline])
  const signs = await open(lifeline, 'w')
  await signs.write('\n')
  return signs
}

test('a container’s main process goes on while heartbeats of the rig arrive, and ends without them', async () => {
  const lifeline = await newLifeline()
  const held = hold(lifeline)
  await using signs = await firstSign(lifeline)
  const until = Date.now() + 1.5 * silenceSeconds * 1000
  // A write fails as soon as there is no reader.
  for (; Date.now() < until; await delay(100)) await signs.write('\n')
  // Its pipe stays open, as it does when an engine is killed.
  expect((await held).exitCode).toBe(75)
})

test('it ends at its time limit, whatever it hears', async () => {
  const lifeline = await newLifeline()
  const held = hold(lifeline, 3)
  await using signs = await firstSign(lifeline)
  let isOver = false
  void held.then(() => {
    isOver = true
  })
  for (; !isOver; await delay(1_300)) await signs.write('\n').catch(() => {})
  expect((await held).exitCode).toBe(124)
})

test('it ends with its probe at once', async () => {
  const lifeline = await newLifeline()
  const held = hold(lifeline)
  const signs = await firstSign(lifeline)
  await signs.close()
  expect((await held).exitCode).toBe(0)
})

test('a probe passes on the heartbeats of its rig, and nothing else', async () => {
  const lifeline = await newLifeline()
  await execa('mkfifo', [lifeline])
  await using pipe = await open(lifeline, 'r+')
  const main = join(projectRoot, 'harness/probe/main.ts')
  const probe = execa(process.execPath, [main, dirname(lifeline), lifeline], { reject: false })
  probe.stdin.write('not a sign\n\n')
  const { bytesRead, buffer } = await pipe.read(Buffer.alloc(100), 0, 100)
  expect(buffer.toString('utf8', 0, bytesRead)).toBe('\n')
  probe.stdin.end()
  await probe
})
