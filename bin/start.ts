import { existsSync, readFileSync } from 'node:fs'
import { enableCompileCache, SourceMap } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Loads a bundled program beside this file, with V8's compiled code from an earlier run. The cache is portable: bundles may
 * be moved together with it.
 */
export async function start(main: string): Promise<void> {
  const directory = join(import.meta.dirname, 'compiled')
  if (existsSync(directory)) useCompiled(directory)
  Error.prepareStackTrace = stackInSources
  await import(join(import.meta.dirname, main))
}

function useCompiled(directory: string): void {
  try {
    enableCompileCache({ directory, portable: true })
  } catch {
    // Node 22 takes only a folder. There the code of bundles that were moved is not found, and they are compiled again.
    enableCompileCache(directory)
  }
}

/**
 * Maps the lines of a stack to the sources. Node can do that too (process.setSourceMapsEnabled), but reads every map at the
 * start, which takes 30 ms for an orchestrator. Here a map is read only when a stack is.
 */
function stackInSources(error: Error, sites: NodeJS.CallSite[]): string {
  return [headOf(error), ...sites.map(site => `    at ${inSource(site)}`)].join('\n')
}

function headOf(error: Error): string {
  try {
    return Error.prototype.toString.call(error)
  } catch {
    return 'Error'
  }
}

function inSource(site: NodeJS.CallSite): string {
  const [file, line, column] = [site.getFileName(), site.getLineNumber(), site.getColumnNumber()]
  const text = String(site)
  if (!file?.startsWith('file:') || line === null || column === null) return text
  const bundle = fileURLToPath(file)
  const origin = mapOf(bundle)?.findOrigin(line, column)
  if (!origin || !('fileName' in origin)) return text
  const source = resolve(dirname(bundle), origin.fileName)
  return text.replace(`${file}:${line}:${column}`, `${source}:${origin.lineNumber}:${origin.columnNumber}`)
}

const maps = new Map<string, SourceMap | undefined>()

function mapOf(bundle: string): SourceMap | undefined {
  if (!maps.has(bundle)) maps.set(bundle, readMap(`${bundle}.map`))
  return maps.get(bundle)
}

function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // Node's own files have none, and a map that is being written or removed does not parse.
    return undefined
  }
}
