import path from 'node:path'

/**
 * The folder to which a user's relative paths refer. `npm run leakrig` starts us in the project's folder and passes the
 * user's in INIT_CWD. The same variables from an npm further up do not count; then we run in another folder.
 */
export function cwd(): string {
  const { npm_lifecycle_event, npm_package_json, INIT_CWD } = process.env
  const isByNpm = npm_lifecycle_event === 'leakrig' && process.cwd() === path.dirname(npm_package_json ?? '')
  return isByNpm && INIT_CWD ? INIT_CWD : process.cwd()
}

/** The absolute path of a file that the user named. */
export const fromCwd = (file: string): string => path.resolve(cwd(), file)
