import fs from 'node:fs'
import { type Descriptor, descriptorTarget, listDescriptors } from './open-files.ts'
import { readProcText } from './proc-file.ts'

/*
 * A channel: a pipe, a FIFO or a pseudo-terminal, by a name that is the same for both of its ends. (The two ends of a pair of
 * sockets have names of their own, and /proc does not tell which belong together.)
 */

const STDIN = 0
const STDOUT = 1

/** The channel behind a descriptor; undefined for anything else. */
export function channelOf(descriptor: Descriptor): string | undefined {
  const target = descriptorTarget(descriptor)
  if (target?.startsWith('pipe:') || target?.startsWith('/dev/pts/')) return target
  return target?.startsWith('/') ? fifo(descriptor) : undefined
}

function fifo({ pid, fd }: Descriptor): string | undefined {
  try {
    const stat = fs.statSync(`/proc/${pid}/fd/${fd}`)
    return stat.isFIFO() ? `fifo:${stat.dev}:${stat.ino}` : undefined
  } catch {
    return undefined
  }
}

/** The pipe or FIFO that is a process's standard input. */
export function pipeInto(pid: number): string | undefined {
  const input = channelOf({ pid, fd: STDIN })
  return input?.startsWith('/') ? undefined : input
}

/** What a process reads others' output from: the pipe at its standard input, and the pseudo-terminals that it serves, as `script` does. */
export function inputsOf(pid: number): string[] {
  const served = listDescriptors(pid)
    .filter(one => descriptorTarget(one)?.endsWith('/ptmx'))
    .flatMap(
      ({ fd }) => /^tty-index:\s*(\d+)/m.exec(readProcText(`/proc/${pid}/fdinfo/${fd}`) ?? '')?.[1] ?? [],
    )
  return [pipeInto(pid) ?? [], served.map(index => `/dev/pts/${index}`)].flat()
}

/** The channel that is a process's standard output. */
export const outputOf = (pid: number): string | undefined => channelOf({ pid, fd: STDOUT })

/** True for a process whose standard input is a pipe, a FIFO or a socket. */
export const readsOthers = (pid: number): boolean =>
  pipeInto(pid) !== undefined || descriptorTarget({ pid, fd: STDIN })?.startsWith('socket:') === true
