/** The thing ended while we looked at it: ENOENT for a file, ESRCH for an entry of /proc. */
export function gone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ESRCH'
}
