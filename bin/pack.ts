import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { build } from './build.ts'

/**
 * Makes the package, as `npm pack` with its options does, and leaves nothing else in the clone. It is no `prepack`: .npmrc forbids
 * the scripts of packages.
 */
const root = resolve(import.meta.dirname, '..')

try {
  await build()
  await execa('npm', ['pack', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
} finally {
  rmSync(join(root, 'dist'), { recursive: true, force: true })
}
