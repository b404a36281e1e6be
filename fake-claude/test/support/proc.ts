import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { constants } from 'node:os'

export interface Facts {
  pid: number
  comm: string
  state: string
  ppid: number
  pgid: number
  sid: number
  tty: number
  nice: number
}

export function facts(pid: number): Facts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const close = stat.lastIndexOf(')')
    const [state = '', ...numbers] = stat.slice(close + 2).split(' ')
    const [ppid = 0, pgid = 0, sid = 0, tty = 0] = numbers.map(Number)
    const nice = Number(numbers[15])
    return { pid, comm: stat.slice(stat.indexOf('(') + 1, close), state, ppid, pgid, sid, tty, nice }
  } catch {
    return undefined
  }
}

export function isAlive(pid: number): boolean {
  return !'ZX'.includes(facts(pid)?.state ?? 'X')
}

export function childrenOf(pid: number): Facts[] {
  return all().filter(one => one.ppid === pid)
}

export function inSession(sid: number): Facts[] {
  return all().filter(one => one.sid === sid && !'ZX'.includes(one.state))
}

export function cmdline(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
}

export function environment(pid: number): Record<string, string> {
  const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean)
  return Object.fromEntries(
    entries.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
}

export function status(pid: number, field: string): string {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return text.match(new RegExp(`^${field}:\\s*(.*)$`, 'm'))?.[1] ?? ''
}

/** When a process was started, in ms since 1970, exact to about 10; undefined: there is none. */
export function startedAt(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
    // Read before the uptime: a delay in between makes the process seem older, never younger.
    const now = Date.now()
    const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
    return now - (up - ticks / 100) * 1000
  } catch {
    return undefined
  }
}

/** Those that were started with this HOME. */
export function startedIn(home: string): number[] {
  const pids = all().filter(({ state }) => !'ZX'.includes(state))
  return pids.map(({ pid }) => pid).filter(pid => hasHome(pid, home))
}

function hasHome(pid: number, home: string): boolean {
  try {
    return environment(pid).HOME === home
  } catch {
    // It is gone, or another user's.
    return false
  }
}

export function all(): Facts[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.map(pid => facts(Number(pid))).filter(one => one !== undefined)
}

/** Whether a process ignores, or catches, a signal. */
export function answersTo(pid: number, signal: NodeJS.Signals): 'ignored' | 'caught' | 'default' {
  const bit = 1n << BigInt(constants.signals[signal] - 1)
  const has = (field: string) => (BigInt(`0x${status(pid, field)}`) & bit) !== 0n
  return has('SigIgn') ? 'ignored' : has('SigCgt') ? 'caught' : 'default'
}

/** The process that adopts orphans here: process 1, or a subreaper above this test. */
export function adopter(): number {
  const orphan = 'while [ -e /proc/$0 ]; do sleep 0.01; done; read -r _ _ _ ppid _ </proc/$$/stat; echo $ppid'
  return Number(execFileSync('sh', ['-c', `sh -c '${orphan}' $$ &`], { encoding: 'utf8' }))
}

export function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      // Closed since.
      return []
    }
  })
}

/** The processor time of a process, in ms. */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
