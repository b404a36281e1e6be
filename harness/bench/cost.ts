import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

/** What a command took until its last process had ended. */
export interface Cost {
  cpuMs: number
  wallMs: number
}

/** How the processor time of a command is measured here. */
export interface Meter {
  how: string
  /** @throws when the command fails, with the end of its output */
  cost(command: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Cost>
}

/**
 * A control group (v2) counts every process of a command, also those that lose their parent. Where none can be made, the
 * kernel's count of collected children is used, which misses what a sandbox kills.
 */
export function meter(): Meter {
  const group = join(groupOfOurs() ?? '/nowhere', `leakrig-bench-${process.pid}`)
  try {
    mkdirSync(group)
    rmdirSync(group)
  } catch {
    return { how: 'children that were waited for (no control group could be made)', cost: costOfChildren }
  }
  return {
    how: 'a control group with all processes',
    cost: (command, cwd, env) => costInGroup(group, command, cwd, env),
  }
}

/** The folder of our own control group of version 2. */
function groupOfOurs(): string | undefined {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1]
  const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
  return mount === undefined || path === undefined ? undefined : join(mount, path)
}

async function costInGroup(
  group: string,
  command: string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Cost> {
  mkdirSync(group)
  try {
    const enter = ['sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', group, ...command]
    const wallMs = await run(enter, cwd, env)
    // The last processes of a sandbox may end a moment later.
    const deadline = performance.now() + 10_000
    while (/populated 1/.test(readFileSync(join(group, 'cgroup.events'), 'utf8'))) {
      if (performance.now() > deadline) throw new Error('A process of the command is still there after 10 s.')
      await delay(20)
    }
    const used = /^usage_usec (\d+)$/m.exec(readFileSync(join(group, 'cpu.stat'), 'utf8'))?.[1]
    return { cpuMs: Number(used) / 1000, wallMs }
  } finally {
    await remove(group)
  }
}

/** Kills what is left of a run that failed, and removes its group. */
async function remove(group: string): Promise<void> {
  const deadline = performance.now() + 10_000
  for (;;) {
    try {
      return rmdirSync(group)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || performance.now() > deadline) throw error
    }
    writeFileSync(join(group, 'cgroup.kill'), '1')
    await delay(10)
  }
}

async function costOfChildren(command: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Cost> {
  const before = childrenMs()
  const wallMs = await run(command, cwd, env)
  return { cpuMs: childrenMs() - before, wallMs }
}

/** Fields 16 and 17 of proc_pid_stat(5), in ticks of 10 ms. */
function childrenMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}

/** Runs a command to its end, and returns its wall time. */
async function run([program = '', ...args]: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const start = performance.now()
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', text => {
      printed = `${printed}${text}`.slice(-2_000)
    })
  const [code, signal] = await once(child, 'close')
  if (code !== 0) throw new Error(`${args.join(' ')} in ${cwd} ended with ${signal ?? code}:\n${printed}`)
  return performance.now() - start
}
