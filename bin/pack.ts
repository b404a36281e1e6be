import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import project from '../package.json' with { type: 'json' }
import { build } from './build.ts'

/**
 * Makes the package, as `npm pack` with its options does, and leaves nothing else in the clone. It is no `prepack`: .npmrc forbids
 * the scripts of packages.
 */
const root = resolve(import.meta.dirname, '..')
const staging = mkdtempSync(join(tmpdir(), 'leakrig-pack-'))

try {
  await build()
  for (const path of ['package.json', 'LICENSE', 'README.md', ...project.files])
    cpSync(join(root, path), join(staging, path), { recursive: true })
  for (const page of globSync('{*,docs/*}.md', { cwd: staging })) unlink(page)
  await execa('npm', ['pack', staging, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
} finally {
  rmSync(staging, { recursive: true })
  rmSync(join(root, 'dist'), { recursive: true, force: true })
}

/** Leaves only the text of links to what the package does not have. */
function unlink(page: string): void {
  const file = join(staging, page)
  const isThere = (target: string) =>
    /^[a-z]+:|^#/.test(target) || existsSync(join(dirname(file), target.replace(/#.*/, '')))
  const text = readFileSync(file, 'utf8')
  const linked = text.replaceAll(/\[([^[\]]+)\]\(([^()\s]+)\)/g, (link, words, target) =>
    isThere(target) ? link : words,
  )
  writeFileSync(file, linked)
}
