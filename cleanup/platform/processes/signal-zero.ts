import { systemCode } from '../../errors.ts'

/**
 * True when nobody has this number any more. Signal 0 is the cheapest question there is, a tenth of reading /proc, so
 * it can be put for every agent several times a second. It cannot tell a zombie, nor a number that has changed hands:
 * for those there are slower looks.
 */
export function isGone(pid: number): boolean {
  // 0 and negative numbers would mean process groups.
  if (pid <= 0) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return systemCode(error) === 'ESRCH'
  }
}
