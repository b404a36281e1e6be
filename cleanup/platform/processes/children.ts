import { readProcText } from './proc-file.ts'

/**
 * The pids of the children of a process's main thread, oldest first, adopted ones last. Undefined when the process is gone,
 * and on systems without the list (no /proc, or a kernel without CONFIG_PROC_CHILDREN). One small read: cheap enough for
 * several times a second, unlike a pass over all processes.
 */
export function childrenOf(pid: number): number[] | undefined {
  return readProcText(`/proc/${pid}/task/${pid}/children`)?.split(' ').filter(Boolean).map(Number)
}
