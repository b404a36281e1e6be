import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import { copyScripts, makeBundles } from './make-bundles.ts'
import { packedPrograms, rigSet } from './programs.ts'
import { makePageProgram, packedPage } from './report-page.ts'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')
const { name, version, type, exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Modules that only make bundles, which a package has. */
const onlyForClones = ['bin/make-bundles', 'bin/rolldown']

/**
 * Makes `dist`, from which an installed package runs: every module as JavaScript in the place that it has in the clone, the
 * scripts beside them, and the bundles of the programs that run in a sandbox.
 */
export async function build(): Promise<void> {
  rmSync(dist, { recursive: true, force: true })
  await execa('tsc', ['--project', join(root, 'tsconfig.build.json')], {
    preferLocal: true,
    localDir: root,
    stdio: 'inherit',
  })
  for (const module of onlyForClones) rmSync(join(dist, `${module}.js`))
  removeInternalTypes()
  copyScripts(join(root, 'harness'), join(dist, 'harness'), ['.sh'])
  cpSync(join(root, 'Dockerfile'), join(dist, 'Dockerfile'))
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify({ name, version, type }, null, 2)}\n`)
  await makeBundles(rigSet, root, join(dist, packedPrograms))
  const page = await makePageProgram(root)
  writeFileSync(join(dist, packedPage.script), page.script)
  writeFileSync(join(dist, packedPage.style), page.style)
  const maps = filesIn(join(dist, packedPrograms)).filter(file => file.endsWith('.map'))
  const sources = [...maps.flatMap(sourcesOf), ...page.sources]
  writeFileSync(join(dist, packedPrograms, 'LICENSES.txt'), licencesOf(sources))
  // They lead to sources that a package does not have.
  for (const file of maps) rmSync(file)
}

/** The sources that a bundle was made of. */
function sourcesOf(map: string): string[] {
  const { sources } = JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] }
  return sources.map(source => resolve(dirname(map), source))
}

/** The licences of the packages whose code is in the bundles, which they ask to be passed on with it. */
function licencesOf(sources: string[]): string {
  const folders = new Set<string>(
    sources.flatMap(source => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source)?.[0] ?? []),
  )
  folders.add(join(root, 'node_modules/fs-native-extensions'))
  const texts = [...folders].map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find(one => /^licen[cs]e/i.test(one))
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : ''}\n`
  })
  return texts.sort().join(`\n${'-'.repeat(80)}\n\n`)
}

/** Keeps the declarations that the package's entries lead to, and removes those of all other modules. */
function removeInternalTypes(): void {
  const kept = new Set<string>()
  const keep = (file: string): void => {
    if (kept.has(file)) return
    kept.add(file)
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/["'](\.{1,2}\/[^"']+)\.[jt]s["']/g))
      keep(`${resolve(dirname(file), specifier)}.d.ts`)
  }
  for (const { types } of Object.values<{ types?: string }>(entries)) if (types) keep(join(root, types))
  for (const file of filesIn(dist)) if (file.endsWith('.d.ts') && !kept.has(file)) rmSync(file)
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}
