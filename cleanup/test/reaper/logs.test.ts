import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, claimsFor, cleanUp } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { kill, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

const completed = { status: 'completed', reason: 'it said so' }

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/**
 * Writes numbered events as fast as they are taken, each as a whole and with room for more than a pipe holds; on TERM it
 * finishes the one at hand, and writes some more. How many it has written it notes in a file at its end.
 */
function writer(events: number, late = 0, onTerm = 'sub { $stop = 1 }'): string {
  const file = path.join(rig.folder, 'writer.pl')
  fs.writeFileSync(
    file,
    `use strict; $| = 0; my ($stop, $n) = (0, 0); $SIG{TERM} = ${onTerm};
     sub put { my $line = shift; while (length $line) { my $sent = syswrite STDOUT, $line; next unless defined $sent; substr($line, 0, $sent) = "" } }
     sub note { open my $out, ">", "$ARGV[0]"; print $out $n; close $out }
     put("{\\"type\\":\\"ready\\"}\\n");
     sub event { $n++; put("{\\"type\\":\\"event\\",\\"n\\":$n,\\"x\\":\\"" . ("x" x 100) . "\\"}\\n") }
     event() while !$stop && $n < ${events};
     note(); until ($stop) { select undef, undef, undef, 0.01 }
     event() for 1 .. ${late}; note()`,
  )
  return `exec perl ${file} ${rig.folder}/written`
}

/** The numbers of the archived events. Fails where a line is not a whole event, the last one too. */
function archived(ref: AgentRef): number[] {
  const text = readText(layout.archived(ref, layout.streamLog(ref)))
  expect(text.endsWith('}\n')).toBe(true)
  const events = text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))
  expect(events.shift()).toEqual({ type: 'ready' })
  return events.map(({ n }) => n)
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1)
const written = () => Number(readText(path.join(rig.folder, 'written')))

test('of ten thousand events at full speed, ended in the middle, every one that was written arrives, in order', async () => {
  const ref = await rig.deploy('talker', { claude: writer(1_000_000) })
  await until('it is in the middle', () => fs.statSync(layout.streamLog(ref)).size > 1_400_000)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
  expect(written()).toBeGreaterThan(10_000)
  expect(archived(ref)).toEqual(upTo(written()))
})

test('also when the writer is deaf, and is killed: up to a whole line', async () => {
  const ref = await rig.deploy('deaf', { claude: writer(1_000_000, 0, '"IGNORE"') })
  await until('it is in the middle', () => fs.statSync(layout.streamLog(ref)).size > 100_000)
  expect(await cleanUp(ref, { ...completed, graceMs: 200 })).toMatchObject({ outcome: 'clean' })
  const numbers = archived(ref)
  expect(numbers).toEqual(upTo(numbers.length))
})

describe('a reader that takes its time within the grace', () => {
  test('because it is stopped', async () => {
    const ref = await rig.deploy('asleep', { claude: writer(0, 400) })
    const { claimed } = await claimsFor(ref)
    kill(claimed.find(({ process }) => process.comm === 'tee')?.process.pid ?? 0, 'SIGSTOP')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect(written()).toBe(400)
    expect(archived(ref)).toEqual(upTo(400))
  })

  test('because its disk is slow', async () => {
    // In tee's place: it waits before each write, as a write to a disk that is busy does.
    const slow = path.join(rig.folder, 'slow.pl')
    fs.writeFileSync(
      slow,
      `open my $log, ">>", $ARGV[0]; $log->autoflush(1); use IO::Handle;
       while (sysread STDIN, my $part, 4096) { select undef, undef, undef, 0.05; syswrite $log, $part }`,
    )
    const ref = rig.ref('slow')
    const claude = `${writer(1_000)}`
    fs.writeFileSync(path.join(rig.folder, 'claude.sh'), claude)
    await rig.deploy('slow', {
      claude: `echo ready >>${layout.streamLog(ref)}; bash ${rig.folder}/claude.sh | perl ${slow} ${layout.streamLog(ref)}`,
    })
    // That it is ready is said before its pipeline stands.
    await until('its reader reads', () => readText(layout.streamLog(ref)).includes('"n":'))
    expect(await cleanUp(ref, { ...completed, graceMs: 5_000 })).toMatchObject({ outcome: 'clean' })
    const text = readText(layout.archived(ref, layout.streamLog(ref)))
    const numbers = [...text.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n))
    expect(numbers).toEqual(upTo(written()))
    expect(text.endsWith('}\n')).toBe(true)
  })
})
