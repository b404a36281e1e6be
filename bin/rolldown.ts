import { dirname, join, relative } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'

/**
 * Bundles a program and everything that it imports into one file, with a source map beside it.
 * @throws when a source does not parse or imports a missing file
 */
export async function bundleProgram(source: string, file: string): Promise<void> {
  const bundle = await rolldown({
    input: source,
    platform: 'node',
    plugins: [nativeLocks, ...(source.endsWith('/bin/leakrig.ts') ? [notBundled(dirname(file))] : [])],
    // Node 22 does not know `using`.
    transform: { target: 'es2024' },
    logLevel: 'silent',
  })
  try {
    await bundle.write({
      file,
      format: 'esm',
      sourcemap: true,
      sourcemapExcludeSources: true,
      codeSplitting: false,
    })
  } finally {
    await bundle.close()
  }
}

/**
 * Bundles a program for browsers, with everything that it imports, into one script.
 * @returns the script, and its sources
 * @throws when a source does not parse or imports a missing file
 */
export async function bundleForBrowsers(source: string): Promise<{ script: string; sources: string[] }> {
  const bundle = await rolldown({
    input: source,
    platform: 'browser',
    transform: { target: 'es2022', jsx: { runtime: 'automatic', importSource: 'preact' } },
    logLevel: 'silent',
  })
  try {
    const { output } = await bundle.generate({ format: 'iife', minify: true, codeSplitting: false })
    return { script: output[0].code, sources: output[0].moduleIds }
  } finally {
    await bundle.close()
  }
}

/**
 * What the harness loads for one command only: each would bring Vitest, or a client of container engines, to every command. Their
 * errors are known by their classes, of which there must be one.
 */
const notBundled = (folder: string): Plugin => ({
  name: 'not-bundled',
  resolveId(id, importer, { kind }) {
    if (!importer) return
    const file = join(dirname(importer), id)
    const isCommand = kind === 'dynamic-import' && importer.endsWith('/harness/cli/commands.ts')
    if (!isCommand && !file.endsWith('/harness/cli/exit.ts')) return
    return { id: relative(folder, file), external: true }
  },
})

/**
 * Loads the native code that lies beside the bundle (make-bundles.ts), or that of node_modules. The package itself searches
 * for it with a dozen modules, which takes 8 ms at every start.
 */
const nativeLocks: Plugin = {
  name: 'native-locks',
  resolveId(id) {
    if (id.startsWith('fs-native-extensions/')) return { id, external: true }
    return
  },
  load(id) {
    if (!id.endsWith('/fs-native-extensions/binding.js')) return
    return `
      const host = process.platform + '-' + process.arch
      try {
        module.exports = require('./native/' + host + '.node')
      } catch {
        module.exports = require('fs-native-extensions/binding.js')
      }`
  },
}
