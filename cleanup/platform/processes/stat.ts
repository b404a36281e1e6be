import type { Identity } from './identity.ts'

/** One process as /proc/<pid>/stat tells it (proc(5)). `start` in clock ticks since boot; `tty` is the kernel's device number, 0 for none. */
export interface Process extends Identity {
  ppid: number
  pgid: number
  sid: number
  tty: number
  /** One letter: R, S, D, T (stopped), t (traced), Z (zombie), X ... */
  state: string
  /** The kernel's name for it, at most 15 bytes, chosen by the process: for people to read, never proof of anything. */
  comm: string
  threads: number
  /** Where its initial environment lies in its memory, which every exec chooses anew; 0 where we are not told. */
  environmentAt: number
  /** A thread of the kernel's own: it belongs to nobody, and has neither files nor an environment. */
  kernel: boolean
  /** It has begun to end: its files may be closed already, and it runs nothing of its own any more. */
  exiting: boolean
}

/** Clock ticks per second in what Linux shows to programs (USER_HZ): 100 on every machine that Node runs on. */
export const USER_HZ = 100

/** PF_EXITING in the kernel's include/linux/sched.h: set before a process gives up its files. */
const EXITING = 0x00000004
/** PF_KTHREAD in the kernel's include/linux/sched.h. Parent 2 would not do: in a pid namespace 2 is anybody. */
const KERNEL_THREAD = 0x00200000

/** Parses one line of /proc/<pid>/stat; undefined when it is not one. */
export function parseStat(text: string): Process | undefined {
  // A name may hold spaces, ")" and newlines, so it ends at the last ")": after it come only a letter and numbers.
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < open) return undefined
  const fields = text.slice(close + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3])
  const start = field(22)
  if (!Number.isSafeInteger(start)) return undefined
  return {
    pid: Number.parseInt(text, 10),
    start,
    ppid: field(4),
    pgid: field(5),
    sid: field(6),
    tty: field(7),
    state: fields[0] ?? '?',
    comm: text.slice(open + 1, close),
    threads: field(20),
    environmentAt: field(50),
    kernel: (field(9) & KERNEL_THREAD) !== 0,
    exiting: (field(9) & EXITING) !== 0,
  }
}

/**
 * True when a process has ended, though its entry may still be there: a zombie waits for its parent to collect
 * it, holds no file and takes no signal. A zombie with several threads is a main thread that left the others running.
 */
export function hasEnded(process: Process): boolean {
  return process.state === 'X' || process.state === 'x' || (process.state === 'Z' && process.threads <= 1)
}

export const isStopped = (process: Process): boolean => process.state === 'T' || process.state === 't'

/** In a wait that nothing interrupts, such as a parent's in vfork(2): it takes a signal when it comes back, and until then does nothing. */
export const isUninterruptible = (process: Process): boolean => process.state === 'D'
