import { readdirSync, readFileSync } from 'node:fs'

export interface Facts {
  pid: number
  comm: string
  state: string
  ppid: number
  pgid: number
  sid: number
  tty: number
}

export function facts(pid: number): Facts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const close = stat.lastIndexOf(')')
    const [state = '', ...numbers] = stat.slice(close + 2).split(' ')
    const [ppid = 0, pgid = 0, sid = 0, tty = 0] = numbers.map(Number)
    return { pid, comm: stat.slice(stat.indexOf('(') + 1, close), state, ppid, pgid, sid, tty }
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

function all(): Facts[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.map(pid => facts(Number(pid))).filter(one => one !== undefined)
}
