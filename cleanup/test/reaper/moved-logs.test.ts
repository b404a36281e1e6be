import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { needs } from '../../../test/needs.ts'
import { type AgentRef, claimsFor, cleanUp } from '../../index.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import { runCleaner } from '../support/cleaner-process.ts'
import { leakrig } from '../support/cli.ts'
import { canMount, MountNamespace } from '../support/mount-namespace.ts'
import { kill, NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const completed = { status: 'completed', reason: 'it said so' }

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Copies each line that is appended to the file `input` to its output, and writes one more line on TERM. */
const echoes = `touch input; trap 'echo last; exit' TERM; echo ready; tail -n +1 -f input & wait`
const log = (ref: AgentRef) => layout.streamLog(ref)

/** Lets the agent write lines, and waits until its log has them, wherever `at` is. */
async function say(lines: string[], at: string): Promise<void> {
  fs.appendFileSync(path.join(rig.folder, 'input'), lines.map(line => `${line}\n`).join(''))
  await until(`${at} has them`, () => readText(at).includes(lines.at(-1) ?? ''))
}

/** Every archived line of the stream log and of its parts, sorted. */
function archivedLines(ref: AgentRef): string[] {
  const folder = layout.archiveFolder(ref)
  const names = fs.readdirSync(folder).filter(name => name.startsWith(`${ref.agentId}_stream`))
  const text = names.map(name => readText(path.join(folder, name))).join('\n')
  return text
    .split(/[\n\0]+/)
    .filter(Boolean)
    .sort()
}

/** Mounts a small disk over a folder, with the folder's files on it and nothing free. */
const full = (folder: string, n: number) => `cp -a ${folder} ${rig.folder}/copy${n}
  mount -t tmpfs -o size=64k small ${folder}
  cp -a ${rig.folder}/copy${n}/. ${folder}; dd if=/dev/zero of=${folder}/ballast bs=1k 2>/dev/null || :`

const descriptor = async (ref: AgentRef) => {
  const { claimed } = await claimsFor(ref)
  const tee = claimed.find(({ process }) => process.comm === 'tee')?.process.pid ?? 0
  return { tee, at: `/proc/${tee}/fd/3` }
}

describe('a stream log that was, while tee wrote it,', () => {
  let ref: AgentRef
  let at: string
  let tee: number
  beforeEach(async () => {
    ref = await rig.deploy('a', { claude: echoes })
    ;({ tee, at } = await descriptor(ref))
    await say(['one', 'two'], at)
  })

  const all = ['last', 'one', 'ready', 'three', 'two']
  const rename = (to: string) => fs.renameSync(log(ref), to)
  const changes: [string, () => void][] = [
    ['left alone', () => {}],
    ['deleted', () => fs.unlinkSync(log(ref))],
    ['renamed as logrotate does', () => rename(`${log(ref)}.1`)],
    ['renamed with a date', () => rename(`${log(ref)}-20261130`)],
    [
      'renamed, and created anew',
      () => {
        rename(`${log(ref)}.1`)
        fs.writeFileSync(log(ref), '')
      },
    ],
    [
      'renamed twice',
      () => {
        rename(`${log(ref)}.1`)
        fs.renameSync(`${log(ref)}.1`, `${log(ref)}.2`)
      },
    ],
    [
      'renamed and deleted',
      () => {
        rename(`${log(ref)}.1`)
        fs.unlinkSync(`${log(ref)}.1`)
      },
    ],
    [
      'replaced by another file',
      () => {
        fs.writeFileSync(`${log(ref)}.x`, 'x')
        fs.renameSync(`${log(ref)}.x`, log(ref))
      },
    ],
    [
      'copied, and truncated',
      () => {
        fs.copyFileSync(log(ref), `${log(ref)}.1`)
        fs.truncateSync(log(ref))
      },
    ],
    ['moved out of the workspace', () => rename(path.join(rig.folder, 'elsewhere'))],
    ['moved to another folder under its name', () => rename(path.join(rig.folder, 'a_stream.jsonl'))],
    ['moved into the archive', () => rename(layout.archived(ref, log(ref)))],
    [
      'moved together with its folder',
      () => fs.renameSync(path.dirname(log(ref)), path.join(rig.folder, 'logs')),
    ],
    ['linked elsewhere', () => fs.linkSync(log(ref), path.join(rig.folder, 'link'))],
    [
      'linked elsewhere, and deleted',
      () => {
        fs.linkSync(log(ref), path.join(rig.folder, 'link'))
        fs.unlinkSync(log(ref))
      },
    ],
  ]
  test.each(changes)('%s, loses no line', async (_, change) => {
    change()
    await say(['three'], at)
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(archivedLines(ref).filter(line => line !== 'x')).toEqual(all)
    expect(rig.processesOf(ref)).toEqual([])
  })

  test.each<[string, () => void]>([
    ['a link', () => fs.symlinkSync('/etc/passwd', log(ref))],
    ['a FIFO', () => execFileSync('mkfifo', [log(ref)])],
    ['a folder', () => fs.mkdirSync(log(ref))],
  ])('replaced by %s, is saved, and that is named', async (_, place) => {
    fs.unlinkSync(log(ref))
    place()
    await say(['three'], at)
    const shown = leakrig(['explain', 'a', ref.workspace]).out
    expect(shown).toMatch(
      /stays: .*a_stream.jsonl: expected a regular file, found .*this cleanup is not finished/,
    )
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'unfinished', lost: [] })
    expect(report.problems).toEqual([
      expect.stringMatching(/a_stream.jsonl was left in place: expected a regular file/),
    ])
    expect(archivedLines(ref)).toEqual(all)
  })

  test('truncated, has lost lines, and is never clean', async () => {
    fs.truncateSync(log(ref))
    await say(['three'], at)
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'unfinished', problems: report.lost })
    expect(report.lost).toEqual([
      expect.stringMatching(/was cut short: process \d+ \(tee\) had written at least \d+ bytes/),
    ])
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(rig.entry(ref).cleanup).toMatchObject({ state: 'done', lost: report.lost })
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'already-clean', notes: report.lost })
  })

  test('deleted, and has lost its tee before, is reported as lost where the entry names it', async () => {
    await updateAgent(ref, entry => Object.assign(entry, { log_file: log(ref) }))
    fs.unlinkSync(log(ref))
    kill(tee)
    await until('tee has ended', () => !fs.existsSync(`/proc/${tee}/fd`))
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({
      outcome: 'unfinished',
      lost: [expect.stringMatching(/a_stream.jsonl is lost/)],
    })
  })

  test('deleted on a disk that is full, stays with its tee until there is room', async () => {
    needs('permission to mount', canMount)
    const { processes } = {
      processes: () =>
        rig
          .processesOf(ref)
          .map(line => line.split(' ')[1])
          .sort(),
    }
    fs.unlinkSync(log(ref))
    const folders = [path.dirname(log(ref)), layout.archiveFolder(ref)]
    using mounts = await MountNamespace.make(rig, folders.map(full).join('; '))
    const { report } = await runCleaner(rig, ref, 0, mounts.nsenter)
    expect(report).toMatchObject({ outcome: 'unfinished', lost: [] })
    expect(report?.problems.join(' ')).toMatch(
      /could not be saved: ENOSPC.*Process \d+ \(tee\), which holds its lines, was stopped/,
    )
    expect(processes()).toEqual(['bash', 'tee'])
    expect(rig.entry(ref).cleanup).toMatchObject({ state: 'pending' })

    for (const folder of folders) fs.rmSync(mounts.outsidePath(path.join(folder, 'ballast')))
    expect((await runCleaner(rig, ref, 0, mounts.nsenter)).report).toMatchObject({ outcome: 'clean' })
    expect(readText(mounts.outsidePath(layout.archived(ref, log(ref))))).toBe('ready\none\ntwo\nlast\n')
    expect(processes()).toEqual([])
  })
})

/** What happens to a log: a word, or a number of lines that are written. */
const step = fc.oneof(
  fc.constantFrom('rename', 'delete', 'copy and truncate', 'replace'),
  fc.nat({ max: 40 }),
)
let runs = 0

test('whatever happens to a log, each of its lines is in the archive, or the outcome is not clean', {
  tags: ['long'],
  timeout: 300_000,
}, async () => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 8 }),
    fc.boolean(),
    async (steps, isTeeKilled) => {
      fs.rmSync(path.join(rig.folder, 'input'), { force: true })
      const ref = await rig.deploy(`agent${runs++}`, { claude: echoes })
      const { tee, at } = await descriptor(ref)
      // As our own orchestrator records it.
      const log_inode = String(fs.statSync(log(ref)).ino)
      await updateAgent(ref, entry => Object.assign(entry, { log_file: log(ref), log_inode }))
      const written = ['ready']
      for (const [n, action] of steps.entries()) {
        if (typeof action === 'number') {
          const lines = Array.from({ length: action }, (_, line) => `line ${n} ${line} of ${ref.agentId}`)
          if (lines.length > 0) await say(lines, at)
          written.push(...lines)
        } else change(log(ref), action, n)
      }
      if (isTeeKilled) {
        kill(tee)
        await until('tee has ended', () => !fs.existsSync(`/proc/${tee}/fd`))
      }
      const { outcome, problems } = await cleanUp(ref, { ...completed, graceMs: 1_000 })
      const kept = new Set(archivedLines(ref))
      if (outcome === 'clean') expect(written.filter(line => !kept.has(line))).toEqual([])
      else expect(problems).not.toEqual([])
      // Only a tee that was killed can have taken lines with it.
      expect(isTeeKilled || outcome === 'clean').toBe(true)
    },
  )
  await fc.assert(property, { numRuns: Number(process.env.LOG_RUNS ?? 12), endOnFailure: true })
})

function change(file: string, action: string, n: number): void {
  if (action === 'replace') {
    fs.writeFileSync(`${file}.new`, 'x')
    fs.renameSync(`${file}.new`, file)
  }
  if (!fs.existsSync(file)) return
  if (action === 'rename') fs.renameSync(file, `${file}.${n + 1}`)
  if (action === 'delete') fs.unlinkSync(file)
  if (action === 'copy and truncate') {
    fs.copyFileSync(file, `${file}.${n + 1}`)
    fs.truncateSync(file)
  }
}
