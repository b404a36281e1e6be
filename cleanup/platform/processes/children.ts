import { readProc } from './proc-file.ts'

/**
 * The children that a process's main thread has, oldest first and those it adopted after its own; undefined when it
 * is gone, or where nothing tells (a kernel without CONFIG_PROC_CHILDREN, or no /proc). One small read: cheap enough
 * for several times a second, where a pass over all processes is not.
 */
export function childrenOf(pid: number): number[] | undefined {
  const bytes = readProc(`/proc/${pid}/task/${pid}/children`)
  return typeof bytes === 'string'
    ? undefined
    : bytes.toString('latin1').split(' ').filter(Boolean).map(Number)
}
