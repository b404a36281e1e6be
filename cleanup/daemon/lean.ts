import { programFile } from '../programs.ts'

/** By default Node lets a program that parses registries all day hold several times the memory that it needs. */
export const LEAN_FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=20']

/** glibc keeps freed memory in one heap per thread; with these it returns large blocks to the kernel at once. */
export const LEAN_MALLOC = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
}

/**
 * How to start a daemon that stays small: the arguments for Node and the variables for its environment. Started without them,
 * it works and needs more memory.
 */
export function leanDaemon(...args: string[]): { args: string[]; env: Record<string, string> } {
  return { args: [...LEAN_FLAGS, programFile('daemon'), ...args], env: LEAN_MALLOC }
}
