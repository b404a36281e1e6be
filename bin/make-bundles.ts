import { cpSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join, relative } from 'node:path'
import type { BundleSet } from './programs.ts'
import { bundleProgram } from './rolldown.ts'

/**
 * Makes the bundles of a set in a folder, with everything that they need beside them: nothing of node_modules, so that a
 * sandbox has to see only this folder.
 * @throws when a source does not parse or imports a missing file
 */
export async function makeBundles(set: BundleSet, root: string, folder: string): Promise<void> {
  const programs = Object.entries(set.programs)
  await bundleProgram(join(import.meta.dirname, 'start.ts'), join(folder, 'start.mjs'))
  await Promise.all(
    programs.map(async ([name, { source }]) => {
      await bundleProgram(join(root, source), join(folder, `${name}.bundle.mjs`))
      const start = join(relative(dirname(name), '.'), 'start.mjs')
      const lines = [`import { start } from './${start}'`, `await start('${name}.bundle.mjs')`]
      writeFileSync(join(folder, `${name}.mjs`), `${lines.join('\n')}\n`)
    }),
  )
  for (const scripts of set.beside ?? []) copyScripts(join(root, scripts), join(folder, scripts))
  copyNative(join(folder, 'native'))
}

/** Scripts for sh and perl, and what has no extension: links to shells, and a program by its name. */
const scriptEndings = ['.sh', '.pl', '']

/** Copies the scripts below a folder, and nothing else that may lie there. */
export function copyScripts(from: string, to: string, endings = scriptEndings): void {
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: path => {
      if (lstatSync(path).isDirectory()) return basename(path) !== 'test'
      return endings.includes(extname(path)) && !basename(path).startsWith('.')
    },
  })
}

/** The native code for file locks on Linux, where sandboxes are; a container may have another processor. */
function copyNative(to: string): void {
  const prebuilds = join(dirname(createRequire(import.meta.url).resolve('fs-native-extensions')), 'prebuilds')
  mkdirSync(to)
  for (const host of readdirSync(prebuilds).filter(name => name.startsWith('linux-')))
    cpSync(join(prebuilds, host, 'fs-native-extensions.node'), join(to, `${host}.node`))
}
