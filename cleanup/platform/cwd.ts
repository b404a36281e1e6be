import path from 'node:path'

/**
 * The folder that relative paths are meant from. `npm run leakrig` starts us in the folder of the project, wherever
 * people are; npm tells that in INIT_CWD. What npm set for a program above us is not about us: then we are elsewhere.
 */
export function cwd(): string {
  const { npm_lifecycle_event, npm_package_json, INIT_CWD } = process.env
  const isByNpm = npm_lifecycle_event === 'leakrig' && process.cwd() === path.dirname(npm_package_json ?? '')
  return isByNpm && INIT_CWD ? INIT_CWD : process.cwd()
}

/** The absolute path of what somebody has named. */
export const fromCwd = (file: string): string => path.resolve(cwd(), file)
