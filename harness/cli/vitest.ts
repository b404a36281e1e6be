import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { CliOptions, Reporter, Vitest } from 'vitest/node'
import { callOf, isPackage, projectRoot } from '../../bin/programs.ts'
import { CannotMeasureError } from '../errors.ts'
import { escapeRegExp } from '../escape-regexp.ts'
import { onStoppedEngine } from '../sandbox/container/ending.ts'
import { UsageError } from './exit.ts'
import { defaultWorkers } from './process-limit.ts'

type VitestFlags = CliOptions & { reporter?: string | string[] }

/** Which of the project's tests run, and who reports on them. */
export interface VitestSetup {
  /** Names of projects of vitest-config.ts. */
  projects: string[]
  reporter: Reporter
  workers?: number | undefined
  /** Only tests whose name contains one of these words. */
  names?: string[]
  /** How many container engines there are. A test whose engine stops is measured again from the beginning on another one. */
  engines?: number | undefined
}

/** Vitest with only these projects, and our reporter in front of the requested ones. */
export async function openVitest(
  rest: string[],
  { projects, reporter, workers, names = [], engines = 1 }: VitestSetup,
): Promise<Vitest> {
  const { createVitest } = await loadVitest()
  // The parsed option `reporter` would replace all `reporters`, ours included.
  const { reporter: asked = [], ...options } = (await parseVitestFlags(rest)).options as VitestFlags
  requireCoverage(options)
  requireOutputFile([asked].flat(), options)
  const vitest = await withPrivateToken(() =>
    createVitest('test', {
      ...options,
      ...(names.length > 0 && { testNamePattern: new RegExp(names.map(escapeRegExp).join('|')) }),
      maxWorkers: workers ?? options.maxWorkers ?? defaultWorkers(),
      root: projectRoot,
      config: join(import.meta.dirname, `vitest-config${extname(import.meta.filename)}`),
      // They would be written to the package's folder.
      ...(isPackage && { cache: false, fsModuleCache: false }),
      // The other loaders write a file beside the config, in a folder that may belong to another user.
      configLoader: 'native',
      project: projects,
      watch: false,
      ...(engines > 1 && { retry: { count: engines - 1, condition: onStoppedEngine } }),
      reporters: [reporter, ...([asked].flat() as [])],
    }),
  ).catch(refused)
  process.once('exit', () => removeTemporary(vitest))
  return vitest
}

/** Vitest removes its temporary folders when it is closed, which a signal does not wait for. Their names are internal. */
function removeTemporary(vitest: Vitest): void {
  const names = [Reflect.get(vitest, '_tmpDir'), ...vitest.projects.map(({ tmpDir }) => tmpDir)]
  for (const name of names) if (typeof name === 'string') rmSync(name, { recursive: true, force: true })
}

/**
 * Vitest stores a token for its user interface, which is never opened here, below the user's home. This redirects it to
 * the project's cache, or to a temporary folder where the cache is not writable.
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
  if (isPackage) return undefined
  const folder = join(projectRoot, 'node_modules/.cache/leakrig', `vitest-${process.getuid?.() ?? 'user'}`)
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return folder
  } catch {
    return undefined
  }
}

/** Vitest's compiler is native code in an optional package, which `npm ci --omit=optional` leaves out. */
async function loadVitest() {
  try {
    return await import('vitest/node')
  } catch (error) {
    throw new CannotMeasureError(
      `Vitest cannot be loaded (${firstLine(error).split('. ')[0]}): run \`${isPackage ? 'npm install' : 'npm ci'}\` without --omit=optional.`,
    )
  }
}

/** Vitest has no error class for invalid options, so this goes by the message. */
function refused(error: unknown): never {
  const sentence = firstLine(error)
  if (/^--|custom Reporter|regular expression/.test(sentence))
    throw new UsageError(`${sentence}: Vitest refuses its options; see ${callOf('scenarios')} --help.`)
  throw new CannotMeasureError(`Vitest cannot be started: ${sentence}.`)
}

/** Options that leakrig sets itself. Vitest would silently ignore another value, and `retry` would hide a leak. */
const reserved = [
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

/** Without a file name, Vitest would make a folder in the project for these reporters. */
function requireOutputFile(reporters: string[], { outputFile }: CliOptions): void {
  const writer = reporters.find(name => ['blob', 'html', 'json', 'junit'].includes(name))
  const isNamed = writer && (typeof outputFile === 'object' ? writer in outputFile : outputFile)
  if (writer && !isNamed)
    throw new UsageError(`--reporter ${writer} writes a file: name it with --outputFile FILE.`)
}

/** Vitest itself checks for this package only after the run has begun. */
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

/** Vitest's own parser silently accepts unknown options when it only parses. */
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
      `${message.replace(/^U/, 'u')}: neither leakrig nor Vitest accepts that; see ${callOf('scenarios')} --help.`,
    )
  }
  const parsed = parseCLI(['vitest', ...rest])
  const refused = reserved.find(name => name in parsed.options)
  if (refused)
    throw new UsageError(
      `--${kebab(refused)} is set by leakrig itself; see ${callOf('scenarios')} --help for the options.`,
    )
  return parsed
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
