import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { isPackage, projectRoot, userFolder } from '../../bin/programs.ts'
import type { AnnotatedFile } from '../report/annotations.ts'
import type { Report } from '../report/report.ts'
import type { ScenarioResult } from '../report/scenario-result.ts'
import { findConfig } from '../systems/config-file.ts'
import { systemNames } from '../systems/systems.ts'
import { currentFolder, inCurrentFolder } from './current-folder.ts'

/**
 * Where GitHub shows the annotation of a scenario: in its test file, or in the configuration where the scenario is one of
 * leakrig's own and the system is the user's. Undefined where that is not in the repository that the job has checked out.
 */
export function annotatedFile({ config }: Report['run'], result: ScenarioResult): AnnotatedFile | undefined {
  try {
    return placeOf(config, result)
  } catch {
    // A file that went away or may not be read has no annotation: the verdict stands.
    return undefined
  }
}

function placeOf(
  config: string | undefined,
  { file, name, system }: ScenarioResult,
): AnnotatedFile | undefined {
  const isOurs = file.startsWith('scenarios/') || file === 'soak'
  if (isOurs && !systemNames.includes(system)) {
    const used = config === undefined ? findConfig(currentFolder()) : inCurrentFolder(config)
    const place = used === undefined ? undefined : inWorkspace(used)
    return place === undefined ? undefined : { file: place }
  }
  // Those of a package are compiled, and nobody's to change.
  const folders = isPackage ? [userFolder] : [projectRoot, userFolder]
  const [found] = folders.map(folder => join(folder, file)).filter(path => inWorkspace(path) !== undefined)
  const place = found && inWorkspace(found)
  return place ? { file: place, ...lineOf(name, found) } : undefined
}

/** The only line that has the name of a test: Vitest does not know the lines of extended tests. */
function lineOf(name: string, file: string): { line?: number } {
  const own = name.split(' > ').at(-1) ?? name
  const lines = readFileSync(file, 'utf8').split('\n')
  const [line, ...others] = lines.flatMap((text, at) => (text.includes(own) ? at + 1 : []))
  return line !== undefined && others.length === 0 ? { line } : {}
}

/** The path of a regular file from the folder of the checked-out repository; whoever reads a FIFO waits for its writer. */
function inWorkspace(file: string): string | undefined {
  const { GITHUB_WORKSPACE: workspace } = process.env
  if (!workspace || !existsSync(workspace)) return undefined
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined
  const path = relative(realpathSync(workspace), realpathSync(file))
  return path.startsWith('..') || isAbsolute(path) ? undefined : path
}
