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
  })
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
  return parseCLI(['vitest', ...rest])
}

function literally(word: string): string {
  return word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
