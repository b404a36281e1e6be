import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../bin/programs.ts'
import project from '../../package.json' with { type: 'json' }
import type { Interruption } from '../report/exit-codes.ts'
import type { Run } from '../report/report.ts'
import { type Chosen, nameOf } from './chosen-systems.ts'

/** What is run, for the report. */
export function describedRun({
  systems,
  ...rest
}: Omit<Run, 'version' | 'commit' | 'systems'> & { systems: readonly Chosen[] }): Run {
  const commit = commitOf(projectRoot)
  return { version: project.version, ...(commit && { commit }), ...rest, systems: systems.map(nameOf) }
}

/** The commit of a clone, with `-dirty` where files differ from it; undefined for a package, and where git does not tell. */
export function commitOf(folder: string): string | undefined {
  const repository = join(folder, '.git')
  if (!existsSync(repository)) return undefined
  // Without locks git leaves the index alone, which root would take from its owner.
  const place = ['--no-optional-locks', '--git-dir', repository, '--work-tree', folder]
  const git = (...command: string[]) =>
    execFileSync('git', [...place, ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    }).trim()
  try {
    const commit = git('rev-parse', '--verify', 'HEAD')
    const changes = git('status', '--porcelain', '--untracked-files=no')
    return changes === '' ? commit : `${commit}-dirty`
  } catch {
    return undefined
  }
}

/** Whether a run has measured everything that its command can run. */
export function isEverything(
  { selection, shard }: Run,
  interrupted: Interruption | undefined,
  errors: readonly string[],
): boolean {
  return selection.length === 0 && shard === undefined && interrupted === undefined && errors.length === 0
}
