import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Folders that do not count, unless they are listed as sources themselves. */
const leftOut = ['test', 'bench', 'node_modules']

/** A hash of these files and folders of a project, of its lock file, and of the version of Node. */
export function contentOf(root: string, sources: string[]): string {
  const hash = createHash('sha256').update(process.version).update(process.arch)
  const own = ['package.json', 'package-lock.json'].map(name => join(root, name))
  const files = [...own, ...sources.flatMap(source => filesIn(join(root, source)))]
  for (const file of files.sort()) {
    const content = lstatSync(file).isSymbolicLink() ? readlinkSync(file) : readFileSync(file)
    hash.update(`\0${relative(root, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex').slice(0, 16)
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return leftOut.includes(entry.name) ? [] : filesIn(path)
    return entry.name.endsWith('.md') ? [] : [path]
  })
}
