import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPackage, packedPrograms, projectRoot } from './programs.ts'

/** The program of the page of a report, and its style. */
export interface PageProgram {
  script: string
  style: string
}

/** Where a package has them, below `dist`. */
export const packedPage = {
  script: join(packedPrograms, 'report-page.js'),
  style: join(packedPrograms, 'report-page.css'),
}

/**
 * The program of the page: from the package, or in a clone bundled anew, which takes a tenth of a second.
 */
export async function pageProgram(): Promise<PageProgram> {
  if (!isPackage) return makePageProgram(projectRoot)
  const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8')
  return { script: read(packedPage.script), style: read(packedPage.style) }
}

/** Bundles the page's program. `sources` are the files that are in it. */
export async function makePageProgram(root: string): Promise<PageProgram & { sources: string[] }> {
  // The bundler is loaded only to make bundles.
  const { bundleForBrowsers } = await import('./rolldown.ts')
  const page = join(root, 'harness/report/page')
  const { script, sources } = await bundleForBrowsers(join(page, 'main.tsx'))
  const styles = [
    join(root, 'node_modules/uplot/dist/uPlot.min.css'),
    ...globSync(join(page, 'styles/*.css')).toSorted(),
  ]
  return { script, style: styles.map(file => readFileSync(file, 'utf8')).join('\n'), sources }
}
