import fs from 'node:fs'
import { CleanupError, messageOf, systemCode } from '../errors.ts'

/** Each workspace once, at its real path, however it was named. */
export function rootsOf(workspaces: readonly string[]): string[] {
  return [...new Set(workspaces.map(realWorkspace))]
}

function realWorkspace(workspace: string): string {
  try {
    const real = fs.realpathSync.native(workspace)
    if (!fs.statSync(real).isDirectory()) throw new CleanupError('no-workspace', `${real} is no folder.`)
    if (!real.startsWith('/dev/')) return real
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    throw new CleanupError('no-workspace', `The workspace ${workspace} cannot be used: ${messageOf(error)}.`)
  }
  throw new CleanupError(
    'bad-argument',
    `The workspace ${workspace} is refused: it lies below /dev, where open files are taken for devices; move it.`,
  )
}
