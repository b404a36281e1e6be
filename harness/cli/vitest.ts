import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { CliOptions, Reporter, Vitest } from 'vitest/node'
import { projectRoot } from '../../bin/programs.ts'
import { CannotMeasureError } from '../errors.ts'
import { UsageError } from './exit.ts'
import { defaultWorkers } from './process-limit.ts'

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
  const { createVitest } = await loadVitest()
  // What the parser calls `reporter` would take the place of all `reporters`, ours among them.
  const { reporter: asked = [], ...options } = (await parseVitestFlags(rest)).options as VitestFlags
  requireCoverage(options)
  requireOutputFile([asked].flat(), options)
  return withPrivateToken(() =>
    createVitest('test', {
      ...options,
      ...(names.length > 0 && { testNamePattern: new RegExp(names.map(literally).join('|')) }),
      maxWorkers: workers ?? options.maxWorkers ?? defaultWorkers(),
      root: projectRoot,
      config: resolve(projectRoot, 'vitest.config.ts'),
      // The other loaders write a file beside the config; the clone may belong to somebody else.
      configLoader: 'runner',
      project: projects,
      watch: false,
      reporters: [reporter, ...([asked].flat() as [])],
    }),
  ).catch(refused)
}

/**
 * Vitest keeps a token for its user interface, which is never opened here, in the user's home. It goes into the project's
 * cache, or, where that is not to be written to, into a folder that goes.
 */
async function withPrivateToken<Result>(open: () => Promise<Result>): Promise<Result> {
  const { XDG_DATA_HOME } = process.env
  const own = ownFolder()
  const folder = own ?? mkdtempSync(join(tmpdir(), 'leakrig-vitest-'))
  process.env.XDG_DATA_HOME = folder
  try {
    return await open()
  } finally {
    if (XDG_DATA_HOME === undefined) delete process.env.XDG_DATA_HOME
    else process.env.XDG_DATA_HOME = XDG_DATA_HOME
    if (!own) rmSync(folder, { recursive: true })
  }
}

function ownFolder(): string | undefined {
  const folder = join(projectRoot, 'node_modules/.cache/leakrig', `vitest-${process.getuid?.() ?? 'user'}`)
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return folder
  } catch {
    return undefined
  }
}

/** Its compiler is native code, in a package that npm calls optional. */
async function loadVitest() {
  try {
    return await import('vitest/node')
  } catch (error) {
    throw new CannotMeasureError(
      `Vitest cannot be loaded (${firstLine(error).split('. ')[0]}): run \`npm ci\` without --omit=optional.`,
    )
  }
}

/** Vitest has no error of its own for options that cannot be. */
function refused(error: unknown): never {
  const sentence = firstLine(error)
  if (/^--|custom Reporter|regular expression/.test(sentence))
    throw new UsageError(`${sentence}: Vitest refuses its options; see leakrig scenarios --help.`)
  throw new CannotMeasureError(`Vitest cannot be started: ${sentence}.`)
}

/** What leakrig itself decides: another value would be passed over in silence, and a second try would hide a leak. */
const decided = [
  'retry',
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

/** Without a name, Vitest makes a folder in the project for them. */
function requireOutputFile(reporters: string[], { outputFile }: CliOptions): void {
  const needy = reporters.find(name => ['blob', 'html', 'json', 'junit'].includes(name))
  const isNamed = needy && (typeof outputFile === 'object' ? needy in outputFile : outputFile)
  if (needy && !isNamed)
    throw new UsageError(`--reporter ${needy} writes a file: name it with --outputFile FILE.`)
}

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
  const { createCLI, parseCLI } = await loadVitest()
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
