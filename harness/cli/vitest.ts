import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { CliOptions, Reporter, Vitest } from 'vitest/node'
import { projectRoot } from '../sandbox/project.ts'
import { UsageError } from './exit.ts'

type VitestFlags = CliOptions & { reporter?: string | string[] }

/** What of the project's tests is run, and how it is told. */
export interface Opening {
  /** Names of projects of vitest.config.ts. */
  projects: string[]
  reporter: Reporter
  workers?: number | undefined
  /** Only tests whose name contains one of these words. */
  names?: string[]
}

/** Vitest with these projects alone, and our reporter in front of those that were asked for. */
export async function openVitest(
  rest: string[],
  { projects, reporter, workers, names = [] }: Opening,
): Promise<Vitest> {
  const { createVitest } = await import('vitest/node')
  // What the parser calls `reporter` would take the place of all `reporters`, ours among them.
  const { reporter: asked = [], ...options } = (await parseVitestFlags(rest)).options as VitestFlags
  requireCoverage(options)
  return createVitest('test', {
    ...options,
    ...(names.length > 0 && { testNamePattern: new RegExp(names.map(literally).join('|')) }),
    // One more than cores: much of a scenario's time is waiting for something to end.
    maxWorkers: workers ?? options.maxWorkers ?? availableParallelism() + 1,
    root: projectRoot,
    config: resolve(projectRoot, 'vitest.config.ts'),
    // The other loaders write a file beside the config; the clone may belong to somebody else.
    configLoader: 'runner',
    project: projects,
    watch: false,
    reporters: [reporter, ...([asked].flat() as [])],
  }).catch(error => {
    // With no option of the caller's it is our own trouble.
    if (rest.length === 0) throw error
    throw new UsageError(`${firstLine(error)}: Vitest refuses its options; see leakrig scenarios --help.`)
  })
}

/** What leakrig itself decides: another value would be passed over in silence. */
const decided = [
  'config',
  'configLoader',
  'project',
  'root',
  'dir',
  'watch',
  'ui',
  'standalone',
  'passWithNoTests',
]

/** Vitest looks for it only when the run has begun. */
function requireCoverage({ coverage }: CliOptions): void {
  if (!coverage?.enabled) return
  const name = `@vitest/coverage-${coverage.provider ?? 'v8'}`
  try {
    import.meta.resolve(name)
  } catch {
    throw new UsageError(
      `--coverage needs the package ${name}, which is not installed: npm install --no-save ${name}.`,
    )
  }
}

/** Vitest's own parser takes an unknown option silently when it is asked for the options alone. */
export async function parseVitestFlags(rest: string[]) {
  const { createCLI, parseCLI } = await import('vitest/node')
  const cli = createCLI()
  try {
    cli.parse(['node', 'vitest', ...rest], { run: false })
    cli.matchedCommand?.checkUnknownOptions()
    cli.matchedCommand?.checkOptionValue()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `${message.replace(/^U/, 'u')}: neither leakrig nor Vitest takes that; see leakrig scenarios --help.`,
    )
  }
  const parsed = parseCLI(['vitest', ...rest])
  const refused = decided.find(name => name in parsed.options)
  if (refused)
    throw new UsageError(
      `--${kebab(refused)} is leakrig's own to set; see leakrig scenarios --help for what it takes.`,
    )
  return parsed
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}

function literally(word: string): string {
  return word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
