import fs from 'node:fs'

/**
 * Replaces a file so that a reader, and a machine that loses power, sees the old text or the new one and nothing
 * between. Only for files that are written under a lock: the temporary name is always the same, so what a killed
 * writer left is overwritten by the next one instead of piling up.
 */
export function replaceFile(file: string, text: string): void {
  const next = `${file}.next`
  const mode = fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0o644
  const fd = fs.openSync(next, 'w', mode)
  try {
    fs.writeFileSync(fd, text)
    fs.fdatasyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  fs.renameSync(next, file)
}
