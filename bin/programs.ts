import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { contentOf } from './content.ts'

/** One program that is started by itself: by the rig, by another program of ours, or by a test. */
export interface Program {
  /** The file that Node can run as it is, below the project. */
  source: string
  /**
   * Arguments on which it does much of what it can do, and ends: V8 keeps the code of functions that ran. `home` is a folder
   * that goes afterwards, with `home/workspace` in it; `bundles` is where all programs of the set are.
   */
  load: (home: string, bundles: string) => string[]
  /** What it then reads on its standard input. */
  input?: string
}

/** Programs that are bundled together, by their path in the bundles' folder, without its extension. */
export interface BundleSet {
  programs: Record<string, Program>
  /** Files and folders below the project that hold their sources. The bundles are named after what is in them. */
  sources: string[]
  /** Files that the programs find beside themselves: scripts, below the project and below the bundles' folder alike. */
  beside?: string[]
  /** Bundles that these programs start: they stand in the same folder, by links. */
  starts?: BundleSet
}

/** Where a project is bundled. */
export interface Place {
  root: string
  /** Every folder of bundles is in it. */
  cache: string
}

export const placeOf = (root: string): Place => ({ root, cache: join(root, 'node_modules/.cache/leakrig') })

/** The folder of the project itself, which every sandbox sees read-only under the same path. */
export const projectRoot = resolve(import.meta.dirname, '..')

const ours = placeOf(projectRoot)

const mcp = (id: number, method: string, params: object = {}) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`

const client = { name: 'leakrig', version: '0' }
const handshake =
  mcp(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: client }) +
  mcp(2, 'tools/list')

/** What runs in a sandbox. */
export const rigSet: BundleSet = {
  programs: {
    probe: { source: 'harness/probe/main.ts', load: home => [home] },
    orchestrator: {
      source: 'bin/orchestrator.ts',
      load: () => ['--strategy', 'none'],
      input:
        handshake + mcp(3, 'tools/call', { name: 'create_real_task', arguments: { description: 'none' } }),
    },
    'hand-over': { source: 'cleanup/bin/hand-over.ts', load: () => [] },
    // Its owner has gone, so it ends. It begins with Node's own flags, and then with those for a long life.
    daemon: {
      source: 'cleanup/bin/daemon.ts',
      load: home => [join(home, 'workspace'), '--owner-pid', '999999999'],
    },
    'report-option-2-daemon': {
      source: 'harness/orchestrator/strategies/report-option-2-daemon.ts',
      load: home => [home],
    },
    'fake-claude/main': {
      source: 'fake-claude/main.ts',
      // It reports as an agent does, to an orchestrator that does not know it.
      load: (_, bundles) => {
        const args = [join(bundles, 'orchestrator.mjs'), '--strategy', 'none']
        const config = JSON.stringify({ mcpServers: { one: { command: process.execPath, args } } })
        const prompt = 'agent_id: a-1 task_id: TASK-1 [[fake-claude persona=exits]]'
        return ['--print', prompt, '--output-format', 'stream-json', '--verbose', '--mcp-config', config]
      },
    },
  },
  sources: ['harness', 'cleanup', 'fake-claude', 'bin'],
  beside: ['fake-claude/claude', 'fake-claude/idle', 'fake-claude/shapes'],
}

/** What tests start by the dozen. */
export const testSet: BundleSet = {
  programs: {
    leakrig: { source: 'bin/leakrig.ts', load: home => ['sweep', join(home, 'workspace')] },
    ...Object.fromEntries(
      [
        'cleaner',
        'daemon-clock',
        'daemon-killed',
        'die-at',
        'look-at',
        'registry-writer',
        'retention-killed',
      ].map(
        // With a workspace that is not there each of them ends.
        name => [name, { source: `cleanup/test/support/${name}.ts`, load: home => [join(home, 'none')] }],
      ),
    ),
    'mcp-server': {
      source: 'fake-claude/test/fixtures/mcp-server.ts',
      load: () => ['bare'],
      input: handshake,
    },
    'defective-orchestrator': { source: 'harness/test/defects/orchestrator.ts', load: () => ['nothing'] },
  },
  sources: [...rigSet.sources, 'cleanup/test/support', 'harness/test/defects', 'fake-claude/test/fixtures'],
  starts: rigSet,
}

/** True where the sources are to run as they are, to debug them. */
export const isUnbundled = (): boolean => process.env.LEAKRIG_UNBUNDLED === '1'

/** The folder for the bundles of a set, named after the content of everything that they are made of. */
export const bundleFolder = (set: BundleSet, { root, cache }: Place = ours): string =>
  join(cache, contentOf(root, set.sources))

/**
 * Where a program is: its bundle, or its source where there is no bundle of just these sources. A change of a source is
 * seen by the next process.
 */
export function programFile(name: string, set: BundleSet = rigSet, place: Place = ours): string {
  const program = set.programs[name]
  if (!program) throw new Error(`No program ${name}; there are ${Object.keys(set.programs).join(', ')}.`)
  const bundle = join(folderOnce(set, place), `${name}.mjs`)
  return !isUnbundled() && existsSync(bundle) ? bundle : join(place.root, program.source)
}

/** The same for a program that only tests start. */
export const testProgram = (name: string): string => programFile(name, testSet)

const folders = new Map<BundleSet, string>()

/** Sources are read once for a process. */
function folderOnce(set: BundleSet, place: Place): string {
  if (place !== ours) return bundleFolder(set, place)
  const folder = folders.get(set) ?? bundleFolder(set)
  folders.set(set, folder)
  return folder
}
