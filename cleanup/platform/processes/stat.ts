import type { Identity } from './identity.ts'

/** One process from /proc/<pid>/stat (proc(5)). `start` in clock ticks since boot; `tty` is a device number, 0 for none. */
export interface Process extends Identity {
  ppid: number
  pgid: number
  sid: number
  tty: number
  /** One letter: R, S, D, T (stopped), t (traced), Z (zombie), X ... */
  state: string
  /** Its name, at most 15 bytes and chosen by the process: for people to read, never evidence. */
  comm: string
  threads: number
  /** The address of its initial environment, which every exec randomises; 0 when it is hidden. */
  environmentAt: number
  /** A kernel thread, which has neither files nor an environment. */
  kernel: boolean
  /** It is exiting: its files may already be closed, and it runs no more code of its own. */
  exiting: boolean
}

/** Linux's clock ticks per second (USER_HZ): 100 on every architecture that Node supports. */
export const USER_HZ = 100

/** PF_EXITING in include/linux/sched.h, set before a process closes its files. */
const EXITING = 0x00000004
/** PF_KTHREAD in include/linux/sched.h. Parent 2 proves nothing: in a pid namespace, any process can have pid 2. */
const KERNEL_THREAD = 0x00200000

/** Parses the text of /proc/<pid>/stat; undefined when it is not valid. */
export function parseStat(text: string): Process | undefined {
  // A name may contain spaces, ")" and newlines. It ends at the last ")", because a letter and numbers follow.
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
 * True when a process has ended, even if its entry still exists: a zombie waits for its parent, holds no file and takes no
 * signal. A zombie with several threads is a main thread that has exited while others run.
 */
export function hasEnded(process: Process): boolean {
  return process.state === 'X' || process.state === 'x' || (process.state === 'Z' && process.threads <= 1)
}

export const isStopped = (process: Process): boolean => process.state === 'T' || process.state === 't'

/** True in an uninterruptible wait, such as vfork(2)'s: until it returns, the process does nothing and takes no signal. */
export const isUninterruptible = (process: Process): boolean => process.state === 'D'
