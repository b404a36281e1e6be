import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, claimsFor, cleanUp } from '../../index.ts'
import { addAgent, layout } from '../../orchestrator.ts'
import { kill, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

const completed = { status: 'completed', reason: 'it said so' }

let rig: Rig
let log: string
beforeEach(async () => {
  rig = await Rig.start()
  log = layout.streamLog(rig.ref('a'))
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Prints `ready`, then the numbers once there is a file `go`, and makes the file `written`. */
const counts = (lines: number) =>
  `echo ready; while ! [ -e go ]; do sleep 0.02; done; seq 1 ${lines}; touch written; sleep 1000 & wait`

async function letItCount(): Promise<void> {
  fs.writeFileSync(`${rig.folder}/go`, '')
  await until('all is in the pipe', () => fs.existsSync(`${rig.folder}/written`))
}

const whole = (lines: number) => ['ready', ...Array.from({ length: lines }, (_, n) => `${n + 1}`)]
const archived = (ref: AgentRef) => readText(layout.archived(ref, log)).split('\n').filter(Boolean)

/** Presses Ctrl-S in the agent's pane, and waits until its terminal takes no output any more. */
async function pressCtrlS(ref: AgentRef): Promise<void> {
  const { pane_id, pane_pid } = rig.entry(ref).tmux ?? {}
  rig.tmux('send-keys', '-t', pane_id ?? '', 'C-s')
  const probe = rig.start('sh', ['-c', `exec >/proc/${pane_pid}/fd/1; while :; do echo; sleep 0.02; done`])
  await until('the terminal is stopped', () =>
    /n_tty_write|wait_woken/.test(readText(`/proc/${probe}/wchan`)),
  )
  kill(probe)
}

/** A log writer in Perl: `each` is done before it writes a line. */
function perl(each: string): string {
  const file = `${rig.folder}/writer.pl`
  fs.writeFileSync(
    file,
    `use IO::Handle; open my $log, ">>", $ARGV[0]; $log->autoflush(1); my $n = 0;
     while (sysread STDIN, my $part, 512) { $n++; ${each}; syswrite $log, $part }`,
  )
  return `perl ${file} ${log}`
}

describe('what is still in the pipe to the log writer is brought to the log', () => {
  test('after Ctrl-S in the pane', async () => {
    const ref = await rig.deploy('a', { claude: counts(5_000) })
    await pressCtrlS(ref)
    await letItCount()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(archived(ref)).toEqual(whole(5_000))
  })

  test('after Ctrl-S in a pane in copy mode, by a producer that the full pipe blocks', async () => {
    const claude = `trap 'seq 50001 50010; exit' TERM; echo ready; while ! [ -e go ]; do sleep 0.02; done; seq 1 50000; wait`
    const ref = await rig.deploy('a', { claude })
    await pressCtrlS(ref)
    rig.tmux('copy-mode', '-t', rig.entry(ref).tmux?.pane_id ?? '')
    fs.writeFileSync(`${rig.folder}/go`, '')
    await until('seq is blocked', async () =>
      (await claimsFor(ref)).claimed.some(
        ({ process }) =>
          process.comm === 'seq' && readText(`/proc/${process.pid}/wchan`).includes('pipe_write'),
      ),
    )
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(archived(ref).slice(-10)).toEqual(whole(50_010).slice(-10))
  })

  test('while a program behind it does not read', async () => {
    const ref = await rig.deploy('a', { claude: counts(20_000), writer: `tee ${log} | (exec sleep 1000)` })
    await letItCount()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(archived(ref)).toEqual(whole(20_000))
  })

  test('by a log writer that takes longer than the grace', async () => {
    const ref = await rig.deploy('a', {
      claude: counts(5_000),
      writer: perl('select undef, undef, undef, 0.05'),
    })
    await letItCount()
    expect(await cleanUp(ref, { ...completed, graceMs: 100 })).toMatchObject({ outcome: 'clean' })
    expect(archived(ref)).toEqual(whole(5_000))
  })
})

describe('a log writer that ends before its input does: the rest of the input is saved, and the outcome is not clean', () => {
  test.each([
    ['hangs', 'sleep 1000 if $n == 3'],
    ['takes for ever', 'sleep 1'],
    ['dies', 'if ($n == 3) { sleep 1 until -e "written"; kill 9, $$ }'],
  ])('%s', async (_, each) => {
    const ref = await rig.deploy('a', { claude: counts(5_000), writer: perl(each) })
    await letItCount()
    const report = await cleanUp(ref, { ...completed, graceMs: 200 })
    expect(report).toMatchObject({ outcome: 'unfinished', problems: report.lost })
    expect(report.lost).toEqual([
      expect.stringMatching(/^Process \d+ \(perl\), which wrote the stream log, /),
    ])
    const lines = archived(ref)
    expect(lines.slice(-1_000)).toEqual(whole(5_000).slice(-1_000))
    // No more than what it had read at once.
    expect(lines.join('\n').length).toBeGreaterThan(whole(5_000).join('\n').length - 1_024)
    expect(rig.processesOf(ref)).toEqual([])
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'already-clean' })
  })
})

describe('a filter between claude and the log writer passes everything on', () => {
  const named = (script: string) => `printf claude >/proc/self/comm; ${script}`
  const numbered = (lines: number) => ['ready', ...whole(lines).map(line => `n${line}`)]

  test.each([
    ['that collects its output', 'sed s/^/n/'],
    ['that is a loop of a shell', `while read -r line; do echo "$line" | sed s/^/n/; done`],
    ['that is two filters', 'cat | sed s/^/n/'],
    ['that reads a FIFO', 'cd FOLDER; mkfifo ff; cat >ff & sed s/^/n/ <ff'],
    ['that writes into a program of its own', `awk '{ print | "sed s/^/n/" }'`],
    [
      'that reads a socket',
      `perl -MSocket -e '
      socketpair my $in, my $out, AF_UNIX, SOCK_STREAM, 0;
      if (!fork) { close $out; open STDIN, "<&", $in; exec "sed", "s/^/n/" }
      close $in; print $out $_ while <STDIN>; close $out; wait'`,
    ],
    ['that takes longer than the grace', `perl -ne '$| = 1; select undef, undef, undef, 0.005; print "n$_"'`],
  ])('%s', async (_, filter) => {
    const ref = await rig.deploy('a', {
      claude: named(counts(200)),
      writer: `(echo ready; ${filter.replace('FOLDER', rig.folder)}) | tee ${log}`,
    })
    await letItCount()
    expect(await cleanUp(ref, { ...completed, graceMs: 300 })).toMatchObject({ outcome: 'clean', lost: [] })
    expect(archived(ref)).toEqual(numbered(200))
    expect(rig.processesOf(ref)).toEqual([])
  })

  test.each([
    ['hangs', 'sleep 1000'],
    ['dies', 'select undef, undef, undef, 0.02 until -e "written"; kill 9, $$'],
  ])('or what it left is named, and the outcome is not clean: it %s', async (_, then) => {
    const filter = `perl -e '$| = 1; while (sysread STDIN, my $part, 512) { print $part; if (++$n == 3) { ${then} } }'`
    const ref = await rig.deploy('a', { claude: named(counts(5_000)), writer: `${filter} | tee ${log}` })
    await letItCount()
    const report = await cleanUp(ref, { ...completed, graceMs: 200 })
    expect(report).toMatchObject({ outcome: 'unfinished', problems: report.lost })
    expect(report.lost).toEqual([
      expect.stringMatching(/^Process \d+ \(perl\), a filter before the stream log, .* 2\d{4} bytes of it /),
    ])
    expect(rig.processesOf(ref)).toEqual([])
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'already-clean' })
  })

  test('that reads the terminal which script gives claude', async () => {
    fs.writeFileSync(`${rig.folder}/claude.sh`, `stty -onlcr; ${named(counts(200))}`)
    const claude = `script -qfc 'bash claude.sh' /dev/null`
    const ref = await rig.deploy('a', { claude, writer: `(echo ready; sed s/^/n/) | tee ${log}` })
    await letItCount()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', lost: [] })
    expect(archived(ref)).toEqual(numbered(200))
    expect(rig.processesOf(ref)).toEqual([])
  })

  test('but a claude that is fed through a pipe is none: it gets TERM first', async () => {
    const claude = `sleep 1000 | bash -c '${named('echo ready; while :; do sleep 0.02; done')}'`
    const ref = await rig.deploy('a', { claude })
    await until('claude writes', () => readText(log).includes('ready'))
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'clean', lost: [] })
    expect(report.ended).toContainEqual(expect.objectContaining({ comm: 'claude', signal: 'SIGTERM' }))
  })
})

describe('a pipe-pane that writes the log reads the pane to its end', () => {
  test.each([
    [
      'a slow one',
      `perl -e '$| = 1; while (sysread STDIN, $_, 512) { select undef, undef, undef, 0.005; print }' >>LOG`,
    ],
    ['one that collects its output', 'sed s/^/n/ >>LOG'],
    ['a filter before tee', 'sed s/^/n/ | tee -a LOG'],
  ])('%s', async (_, writer) => {
    fs.writeFileSync(
      `${rig.folder}/claude.sh`,
      `printf claude >/proc/self/comm; stty -echo -onlcr; trap 'seq 1 2000; exit' TERM; until [ -e ${rig.folder}/go ]; do sleep 0.02; done; echo ready; while :; do sleep 0.02; done`,
    )
    const ref = rig.ref('a')
    const claude = ['bash', '-c', `bash ${rig.folder}/claude.sh; :`]
    const tmux = rig.newSession(ref, { claude: '' }, claude)
    rig.tmux('pipe-pane', '-t', '=agent_a:', writer.replace('LOG', log))
    await addAgent(ref, {
      status: 'running',
      tmux_session: 'agent_a',
      tmux,
      started_at: new Date().toISOString(),
    })
    await until('the log is open', async () =>
      (await claimsFor(ref)).claimed.some(({ evidence }) => evidence.some(({ kind }) => kind === 'log')),
    )
    fs.writeFileSync(`${rig.folder}/go`, '')
    await until('claude writes', () => rig.tmux('capture-pane', '-p', '-t', '=agent_a:').includes('ready'))
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', lost: [] })
    expect(archived(ref).map(line => line.replace(/^n/, ''))).toEqual(whole(2_000))
    expect(rig.processesOf(ref)).toEqual([])
  })
})
