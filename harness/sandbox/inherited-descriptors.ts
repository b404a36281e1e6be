import { readdirSync, readFileSync } from 'node:fs'

const closeOnExec = 0o2000000

/**
 * The descriptors above `last` that a child of this process would inherit. Node sets close-on-exec for those that it
 * opened itself, but not for most of those that it inherited; an open folder would be a way out of the sandbox.
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
    return false // the descriptor of readdirSync itself
  }
}
