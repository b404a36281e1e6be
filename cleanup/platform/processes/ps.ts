import { spawnSync } from 'node:child_process'
import { systemCode } from '../../errors.ts'
import { processesHidden } from './backend.ts'
import type { Process } from './stat.ts'

/*
 * The process table as ps(1) prints it, for machines without /proc. The columns are those that procps and the ps of
 * macOS and the BSDs all know; `ucomm` is the name alone, where `comm` would be a whole path on a BSD. An identity is
 * the pid and the start in seconds since 1970, which is as fine as ps tells it: a number that passes to another
 * process within one second is not seen to have changed hands.
 */
const COLUMNS = ['pid', 'ppid', 'pgid', 'sess', 'tty', 'stat', 'vsz', 'lstart', 'ucomm']
const ARGS = ['-A', '-ww', ...COLUMNS.flatMap(name => ['-o', `${name}=`])]
const LINE =
  /^ *(?<pid>\d+) +(?<ppid>\d+) +(?<pgid>\d+) +(?<sess>\S+) +(?<tty>\S+) +(?<stat>\S+) +(?<vsz>\d+) +(?<start>\w{3} +\w{3} +\d+ +[\d:]{8} +\d{4})(?: (?<comm>.*))?$/

const PS_TIMEOUT_MS = 5_000

type Row = Record<string, string>

/** Every process by pid, but for the ps that was asked. Throws a CleanupError (`processes-hidden`) when it does not say. */
export function listByPs(): Map<number, Process> {
  const { status, stdout, pid, error } = spawnSync('ps', ARGS, {
    encoding: 'latin1',
    timeout: PS_TIMEOUT_MS,
    maxBuffer: 1 << 26,
    // Otherwise it prints a start in the reader's language and time zone.
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
  })
  if (systemCode(error) === 'ENOENT') throw processesHidden('there is no /proc, and no ps on the PATH')
  if (error || status !== 0) throw processesHidden(`ps failed (${error?.message ?? `exit code ${status}`})`)
  const table = parsePs(stdout)
  table.delete(pid)
  return table
}

/**
 * Parses what ps printed. Throws (`processes-hidden`) when two lines claim one process: where ps does not escape a
 * name that holds a newline, the rest of it can imitate a line.
 */
export function parsePs(text: string): Map<number, Process> {
  const rows = text.split('\n').flatMap((line): Row[] => {
    const row = LINE.exec(line)?.groups
    return row ? [row] : []
  })
  const leaders = leadersOf(rows)
  const table = new Map<number, Process>()
  for (const row of rows) {
    const found = parseRow(row, leaders)
    if (table.has(found.pid)) throw processesHidden(`ps shows process ${found.pid} twice`)
    table.set(found.pid, found)
  }
  return table
}

function parseRow(row: Row, leaders: ReadonlyMap<string, number>): Process {
  const { pid, ppid, pgid, sess = '', tty = '', stat = '', vsz, start, comm = '' } = row
  return {
    pid: Number(pid),
    ppid: Number(ppid),
    pgid: Number(pgid),
    sid: leaders.get(sess) ?? (/^\d{1,7}$/.test(sess) ? Number(sess) : 0),
    tty: terminalNumber(tty),
    state: stat.charAt(0),
    start: Date.parse(`${start} UTC`) / 1000,
    // procps marks what has several threads with "l"; a BSD does not, and has no zombie with threads left.
    threads: stat.includes('l') ? 2 : 1,
    comm: comm.trimEnd(),
    environmentAt: 0,
    // Threads of the kernel's have no memory of their own, and neither has a zombie.
    kernel: vsz === '0' && !stat.startsWith('Z'),
    exiting: false,
  }
}

/** `sess` is the leader's pid on Linux and an address on a BSD; "s" in the state marks the leader on both. */
function leadersOf(rows: readonly Row[]): Map<string, number> {
  const leaders = rows.filter(({ sess, stat = '' }) => stat.includes('s') && sess !== '0' && sess !== '-')
  return new Map(leaders.map(({ sess = '', pid }) => [sess, Number(pid)]))
}

const terminals = new Map<string, number>()

/** A number for a terminal's name, from 1; 0 for none, as in /proc. It means something in this process only. */
function terminalNumber(name: string): number {
  if (/^[?-]+$/.test(name)) return 0
  const known = terminals.get(name) ?? terminals.size + 1
  terminals.set(name, known)
  return known
}
