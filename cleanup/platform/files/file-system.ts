import fs from 'node:fs'
import path from 'node:path'

/** The type of the file system that a file lies on and where it is mounted, in words; undefined without Linux's /proc. */
export function fileSystemOf(file: string): string | undefined {
  try {
    const at = fs.realpathSync(path.dirname(file))
    // The last of the mounts that contain it: a later mount on the same folder covers an earlier one.
    const mounts = fs.readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n').map(parseMount)
    const found = mounts
      .filter(({ on }) => contains(on, at))
      .sort((a, b) => a.on.length - b.on.length)
      .at(-1)
    return found && `${found.type}, mounted at ${found.on}`
  } catch {
    return undefined
  }
}

/** `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw`, with octal escapes for spaces and the like (proc(5)). */
function parseMount(line: string): { on: string; type: string } {
  const [mount = '', described = ''] = line.split(' - ')
  const on = (mount.split(' ')[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, octal) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
  return { on, type: described.split(' ')[0] ?? '' }
}

const contains = (folder: string, file: string): boolean =>
  file === folder || file.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
