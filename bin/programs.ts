import { existsSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { contentOf } from './content.ts'

/** A program that the rig, another program of ours, or a test starts in a process of its own. */
export interface Program {
  /** Its source, below the project, which Node can also run directly. */
  source: string
  /**
   * Arguments with which it runs much of its code and ends, because V8 stores only functions that ran. `home` is a temporary
   * folder with `home/workspace` in it; `bundles` is the folder with all programs of the set.
   */
  warmUpArgs: (home: string, bundles: string) => string[]
  /** What it reads on its standard input then. */
  input?: string
}

/** Programs that are bundled together. */
export interface BundleSet {
  /** By their path in the bundles' folder, without the extension. */
  programs: Record<string, Program>
  /** Files and folders below the project with their sources. The bundles' folder is named after a hash of these. */
  sources: string[]
  /** Scripts that the programs need, copied to the same path below the bundles' folder. */
  beside?: string[]
  /** Bundles that these programs start; links to them are in the same folder. */
  starts?: BundleSet
}

/** Where a project lies, and where its bundles do. */
export interface BundleLocation {
  root: string
  /** The folder with all folders of bundles. */
  cache: string
}

export const bundleLocationOf = (root: string): BundleLocation => ({
  root,
  cache: join(root, 'node_modules/.cache/leakrig'),
})

/** True in an installed package: Node strips no types below node_modules, so everything there was compiled (bin/build.ts). */
export const isPackage = extname(import.meta.filename) === '.js'

/**
 * The folder of leakrig's own code: the clone, or `dist` of an installed package. A sandbox has what it needs of it
 * read-only under the same paths.
 */
export const projectRoot = resolve(import.meta.dirname, '..')

/** The folder of whoever runs leakrig, for the files that it leaves. In a clone npm says which one it was called from. */
export const userFolder = isPackage ? process.cwd() : (process.env.INIT_CWD ?? projectRoot)

/** How a user calls a command, for messages. */
export const callOf = (command: keyof typeof scripts): string =>
  isPackage ? `npx leakrig ${command}` : `npm run ${scripts[command]}`

const scripts = {
  scenarios: 'scenarios --',
  catalogue: 'scenarios:catalogue --',
  soak: 'leakrig -- soak',
  reproduce: 'leakrig -- reproduce',
  shell: 'leakrig -- shell',
  'report open': 'leakrig -- report open',
}

/** Where the programs of a package lie, below `dist`. */
export const packedPrograms = 'programs'

const ours = bundleLocationOf(projectRoot)

const mcp = (id: number, method: string, params: object = {}) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`

const client = { name: 'leakrig', version: '0' }
const handshake =
  mcp(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: client }) +
  mcp(2, 'tools/list')

/** What runs in a sandbox. */
export const rigSet: BundleSet = {
  programs: {
    probe: { source: 'harness/probe/main.ts', warmUpArgs: home => [home] },
    // Without the IPC channel of the probe it ends at once.
    'module-host': { source: 'harness/probe/module-host.ts', warmUpArgs: () => [] },
    orchestrator: {
      source: 'bin/orchestrator.ts',
      warmUpArgs: () => ['--strategy', 'none'],
      input:
        handshake + mcp(3, 'tools/call', { name: 'create_real_task', arguments: { description: 'none' } }),
    },
    'hand-over': { source: 'cleanup/bin/hand-over.ts', warmUpArgs: () => [] },
    // Its owner does not exist, so that it ends at once.
    daemon: {
      source: 'cleanup/bin/daemon.ts',
      warmUpArgs: home => [join(home, 'workspace'), '--owner-pid', '999999999'],
    },
    // What `leakrig` is in the sandbox of a reproduction.
    'cleanup-commands': {
      source: 'bin/cleanup.ts',
      warmUpArgs: home => ['sweep', join(home, 'workspace')],
    },
    'report-option-2-daemon': {
      source: 'harness/orchestrator/strategies/report-option-2-daemon.ts',
      warmUpArgs: home => [home],
    },
    'fake-claude/main': {
      source: 'fake-claude/main.ts',
      // It reports as an agent does, to an orchestrator in which it is not registered.
      warmUpArgs: (_, bundles) => {
        const args = [join(bundles, 'orchestrator.mjs'), '--strategy', 'none']
        const config = JSON.stringify({ mcpServers: { one: { command: process.execPath, args } } })
        const prompt = 'agent_id: a-1 task_id: TASK-1 [[fake-claude persona=exits]]'
        return ['--print', prompt, '--output-format', 'stream-json', '--verbose', '--mcp-config', config]
      },
    },
  },
  sources: ['harness', 'cleanup', 'fake-claude', 'bin'],
  beside: ['fake-claude/claude', 'fake-claude/background', 'fake-claude/idle', 'fake-claude/shapes'],
}

/** Programs that tests start many times. */
export const testSet: BundleSet = {
  programs: {
    leakrig: { source: 'bin/leakrig.ts', warmUpArgs: home => ['sweep', join(home, 'workspace')] },
    ...Object.fromEntries(
      [
        'cleaner',
        'daemon-clock',
        'daemon-killed',
        'die-at',
        'run-everything',
        'registry-writer',
        'retention-killed',
      ].map(
        // Each of them ends when its workspace does not exist.
        name => [
          name,
          { source: `cleanup/test/support/${name}.ts`, warmUpArgs: home => [join(home, 'none')] },
        ],
      ),
    ),
    'mcp-server': {
      source: 'fake-claude/test/fixtures/mcp-server.ts',
      warmUpArgs: () => ['bare'],
      input: handshake,
    },
    'defective-orchestrator': {
      source: 'harness/test/defects/orchestrator.ts',
      warmUpArgs: () => ['nothing'],
    },
  },
  sources: [...rigSet.sources, 'cleanup/test/support', 'harness/test/defects', 'fake-claude/test/fixtures'],
  starts: rigSet,
}

/** Whether the sources are to run directly, for debugging. */
export const isUnbundled = (): boolean => process.env.LEAKRIG_UNBUNDLED === '1'

/** The folder for the bundles of a set, named after a hash of their sources. */
export const bundleFolder = (set: BundleSet, { root, cache }: BundleLocation = ours): string =>
  join(cache, contentOf(root, set.sources))

/**
 * The file of a program: its bundle, or its source where there is no bundle of exactly these sources. A process that starts
 * after a change of a source sees that change.
 */
export function programFile(name: string, set: BundleSet = rigSet, location: BundleLocation = ours): string {
  const program = set.programs[name]
  if (!program) throw new Error(`No program ${name}; there are ${Object.keys(set.programs).join(', ')}.`)
  if (isPackage && location === ours) return join(projectRoot, packedPrograms, `${name}.mjs`)
  const bundle = join(folderOnce(set, location), `${name}.mjs`)
  return !isUnbundled() && existsSync(bundle) ? bundle : join(location.root, program.source)
}

/** The same for a program that only tests start. */
export const testProgram = (name: string): string => programFile(name, testSet)

const folders = new Map<BundleSet, string>()

/** Hashes the sources only once in each process. */
function folderOnce(set: BundleSet, location: BundleLocation): string {
  if (location !== ours) return bundleFolder(set, location)
  const folder = folders.get(set) ?? bundleFolder(set)
  folders.set(set, folder)
  return folder
}
