import { readdirSync, readFileSync } from 'node:fs'

const closeOnExec = 0o2000000

/**
 * The descriptors above `last` that a child of this process would get. Node closes those that it opened itself, and
 * of those that it inherited only the lowest; an open folder of the machine is a way out of any sandbox.
 */
export function inheritedDescriptors(last: number): number[] {
  const numbers = readdirSync('/proc/self/fd').map(Number)
  return numbers.filter(fd => fd > last && isInherited(fd))
}

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
    return (Number.parseInt(flags, 8) & closeOnExec) === 0
  } catch {
    return false // it was the listing's own
  }
}
