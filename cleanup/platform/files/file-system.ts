import fs from 'node:fs'
import path from 'node:path'

export interface Mount {
  /** The folder. */
  on: string
  type: string
}

/** The type of the file system that a file lies on and where it is mounted, in words; undefined without Linux's /proc. */
export function fileSystemOf(file: string): string | undefined {
  try {
    const at = fs.realpathSync(path.dirname(file))
    // The last of the mounts that contain it: a later mount on the same folder covers an earlier one.
    const found = mountOf(at, mountsOf('self'))
    return found && `${found.type}, mounted at ${found.on}`
  } catch {
    return undefined
  }
}

/** The mount that holds a file, of those that a process sees. */
export const mountOf = (file: string, mounts: readonly Mount[]): Mount | undefined =>
  mounts
    .filter(({ on }) => contains(on, file))
    .sort((a, b) => a.on.length - b.on.length)
    .at(-1)

/** The mounts that a process sees, oldest first. Throws where they cannot be read. */
export const mountsOf = (pid: number | 'self'): Mount[] =>
  fs.readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n').map(parseMount)

/** The folders on which /etc/fstab mounts a disk (fstab(5)). */
export function foldersInFstab(): string[] {
  try {
    const lines = fs.readFileSync('/etc/fstab', 'utf8').split('\n')
    const fields = lines.map(line => line.trim().split(/\s+/))
    return fields.flatMap(([device = '#', on]) => (device.startsWith('#') || !on ? [] : unescapeOctal(on)))
  } catch {
    return []
  }
}

/** `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw`, with octal escapes for spaces and the like (proc(5)). */
function parseMount(line: string): Mount {
  const [mount = '', described = ''] = line.split(' - ')
  return { on: unescapeOctal(mount.split(' ')[4] ?? ''), type: described.split(' ')[0] ?? '' }
}

const unescapeOctal = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))

export const contains = (folder: string, file: string): boolean =>
  file === folder || file.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
