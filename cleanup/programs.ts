import path from 'node:path'

const { dirname, filename } = import.meta

/** A program of ours that runs by itself: one of bin/, or beside the bundle that this file is in. */
export function programFile(name: 'daemon' | 'hand-over'): string {
  const extension = path.extname(filename)
  return path.join(dirname, extension === '.mjs' ? '.' : 'bin', `${name}${extension}`)
}
