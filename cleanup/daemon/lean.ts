import { programFile } from '../programs.ts'

/** Node's own defaults let a program that parses registries all day hold several times what it needs. */
export const LEAN_FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=20']

/** glibc keeps what was freed, in a heap per thread; what is large goes back to the kernel at once with these. */
export const LEAN_MALLOC = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
}

/** How the daemon is started so that it need not start itself again (start-lean.ts): arguments for Node, and variables. */
export function leanDaemon(...args: string[]): { args: string[]; env: Record<string, string> } {
  return { args: [...LEAN_FLAGS, programFile('daemon'), ...args], env: LEAN_MALLOC }
}
