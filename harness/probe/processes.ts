import { readdirSync, readFileSync } from 'node:fs'
import { isGone } from '../errors.ts'
import type { ProcessResource } from '../snapshot/snapshot.ts'

const pageSize = 4096

/**
 * Every process of the sandbox, read from /proc in one pass. A process that ends meanwhile is left out.
 * @throws when /proc itself cannot be read
 */
export function readProcesses(): ProcessResource[] {
  return listPids().flatMap(pid => readProcess(pid) ?? [])
}

/** The pids of the processes with this name (`comm`). Reads one file for each, where `readProcesses` reads two. */
export function pidsNamed(comm: string): number[] {
  return listPids().filter(pid => readOrEmpty(`/proc/${pid}/comm`) === `${comm}\n`)
}

function listPids(): number[] {
  return readdirSync('/proc').flatMap(name => (/^\d+$/.test(name) ? Number(name) : []))
}

/** One process, or undefined when there is none with that pid. */
export function readProcess(pid: number): ProcessResource | undefined {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** The name may contain spaces, `)` and newlines: it ends at the last `)` (proc_pid_stat(5)). */
function parseStat(pid: number, text: string): ProcessResource {
  const nameEnd = text.lastIndexOf(')')
  const comm = text.slice(text.indexOf('(') + 1, nameEnd)
  const field = text.slice(nameEnd + 2).split(' ')
  const at = (position: number) => Number(field[position - 3])
  const start = at(22)
  return {
    kind: 'process',
    id: `process ${pid}@${start}`,
    pid,
    start,
    comm,
    state: field[0] ?? '?',
    ppid: at(4),
    pgid: at(5),
    sid: at(6),
    tty: at(7),
    rss: at(24) * pageSize,
    command: readCommand(pid) || `[${comm}]`,
    descriptors: 0, // set by take-snapshot.ts
  }
}

function readCommand(pid: number): string {
  return readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** The initial environment of a process; later changes do not show in /proc (proc_pid_environ(5)). */
export function readEnvironment(pid: number): Map<string, string> {
  const words = readOrEmpty(`/proc/${pid}/environ`).split('\0')
  return new Map(words.filter(word => word.includes('=')).map(splitOnce))
}

function splitOnce(word: string): [string, string] {
  const equals = word.indexOf('=')
  return [word.slice(0, equals), word.slice(equals + 1)]
}
