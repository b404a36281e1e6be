import path from 'node:path'

const { dirname, filename } = import.meta

/**
 * How a user calls our commands, for messages. Only a package has this file as JavaScript of its own. In the sandbox of a
 * reproduction there is a program of that name.
 */
export const ownCommand =
  process.env.LEAKRIG_COMMAND ?? (path.extname(filename) === '.js' ? 'npx leakrig' : 'npm run leakrig --')

/** A program of ours that runs by itself: one of bin/, or beside the bundle that this file is in. */
export function programFile(name: 'daemon' | 'hand-over'): string {
  const extension = path.extname(filename)
  return path.join(dirname, extension === '.mjs' ? '.' : 'bin', `${name}${extension}`)
}
