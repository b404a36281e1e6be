import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { poll } from '../verdict/poll.ts'

const program = join(import.meta.dirname, '../cli/leakrig.ts')

interface Process {
  pid: number
  ppid: number
  start: string
  comm: string
}

/** The machine's own process table: the sandbox's processes are in it, under other pids than inside. */
function processes(): Process[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, 'latin1')
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
        // A zombie is dead: the machine's own init collects it when it comes to it.
        if (fields[0] === 'Z') return []
        const comm = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'))
        return { pid: Number(name), ppid: Number(fields[1]), start: fields[19] ?? '', comm }
      } catch {
        return []
      }
    })
}

function below(root: number, all = processes()): Process[] {
  const children = all.filter(({ ppid }) => ppid === root)
  return children.flatMap(child => [child, ...below(child.pid, all)])
}

const stillThere = (known: Process[]) => {
  const now = processes()
  return known.filter(one => now.some(({ pid, start }) => pid === one.pid && start === one.start))
}

/** Ctrl-C reaches the whole group of the terminal, the other two the one process that is named. */
const ways: [NodeJS.Signals, 'group' | 'process'][] = [
  ['SIGINT', 'group'],
  ['SIGTERM', 'process'],
  ['SIGKILL', 'process'],
]

test.for(ways)(
  '%s in the middle of a scenario leaves no process, tmux server or mount',
  async ([signal, target]) => {
    const args = [program, 'scenarios', '4-', '--sandbox', 'namespace']
    const rig = execa(process.execPath, args, { detached: true, reject: false, all: true })
    const root = rig.pid ?? 0
    const seen = new Map<string, Process>()
    // In the middle: agents are at work in their panes.
    const inTheMiddle = await poll(30_000, async () => {
      for (const one of below(root)) seen.set(`${one.pid}@${one.start}`, one)
      return [...seen.values()].some(({ comm }) => comm === 'tee') || undefined
    })
    expect(inTheMiddle).toBe(true)
    process.kill(target === 'group' ? -root : root, signal)
    const { exitCode } = await rig
    expect(exitCode).not.toBe(0)
    const known = [...seen.values()]
    await poll(10_000, async () => stillThere(known).length === 0 || undefined)
    expect(stillThere(known)).toEqual([])
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('leakrig')
  },
)
