import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The programs that namespace-init.sh cannot do without, by the packages that have them. */
const packages = {
  coreutils: ['chmod', 'cp', 'ln', 'mkdir', 'readlink'],
  'util-linux': ['mount', 'pivot_root', 'setpriv', 'umount', 'unshare'],
}

/**
 * Which programs a namespace sandbox did not find, and what to do, in one sentence.
 * @param program the first that it did not find
 * @param path where programs are looked for outside
 */
export function missingText(program: string, path: string): string {
  const folder = folderOf(program, path)
  if (folder !== undefined)
    return `The namespace sandbox needs the program ${program}, and does not show the folder ${folder} that it is in: install it in a folder of the system, such as /usr/bin.`
  const absent = Object.entries(packages).flatMap(([name, programs]) => {
    const some = programs.filter(one => folderOf(one, path) === undefined)
    return some.length > 0 ? [`${some.join(', ')} (package ${name})`] : []
  })
  const isKnown = Object.values(packages).flat().includes(program)
  return `The namespace sandbox needs programs that are not on the PATH: install ${[...(isKnown ? [] : [program]), ...absent].join(' and ')}.`
}

const folderOf = (program: string, path: string): string | undefined =>
  path.split(delimiter).find(folder => folder !== '' && existsSync(join(folder, program)))
