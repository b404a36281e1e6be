import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { projectRoot } from './project.ts'

/**
 * Where Node finds compiled code for the programs that a sandbox starts by the dozen: an orchestrator then takes
 * 0.18 s of a core to start instead of 0.38 s. Sandboxes only read it, so it is filled here, once for a clone.
 */
export const compileCache = join(projectRoot, 'node_modules/.cache/leakrig', contentHash())

/** Each program with arguments on which it loads all of itself and ends; `home` is a folder that goes afterwards. */
const programs = (home: string) => [
  ['harness/probe/main.ts', home],
  ['harness/cli/leakrig.ts', 'orchestrator', '--strategy', 'none'],
  ['cleanup/bin/hand-over.ts'],
  ['cleanup/bin/daemon.ts'],
  ['fake-claude/main.ts', '--print', 'hi', '--mcp-config', '{"mcpServers":{"none":{"command":"true"}}}'],
]

/**
 * Fills the cache where it is missing. Without it everything works, slower: a clone may be read-only. What an
 * interrupted filling leaves is in the clone's own cache, and nowhere else.
 */
export async function ensureCompileCache(): Promise<void> {
  if (existsSync(compileCache)) return
  try {
    const parent = join(compileCache, '..')
    mkdirSync(parent, { recursive: true })
    const filling = mkdtempSync(join(parent, 'filling-'))
    const [home, cache] = [join(filling, 'home'), join(filling, 'cache')]
    mkdirSync(home)
    await loadEach(home, cache)
    readableForAll(cache)
    // Of several that fill it at once, the first wins.
    if (!existsSync(compileCache)) renameSync(cache, compileCache)
    rmSync(filling, { recursive: true })
  } catch (error) {
    if (!['EROFS', 'EACCES', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

async function loadEach(home: string, cache: string): Promise<void> {
  const environment = {
    NODE_COMPILE_CACHE: cache,
    HOME: home,
    CLAUDE_CODE_TMPDIR: home,
    CLAUDE_ORCHESTRATOR_WORKSPACE: join(home, 'workspace'),
  }
  const options = { cwd: home, env: environment, stdin: 'ignore', reject: false, timeout: 30_000 } as const
  const load = ([program = '', ...args]: string[]) =>
    execa(process.execPath, [join(projectRoot, program), ...args], options)
  await Promise.all(programs(home).map(load))
}

/**
 * Node writes the cache for its user alone, in a folder that ends in the user's number. Sandboxes have other users:
 * root in a user namespace, 1000 in a container.
 */
function readableForAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
  for (const name of readdirSync(folder)) {
    const others = ['0', '1000'].map(uid => name.replace(/-\d+$/, `-${uid}`))
    for (const other of others) if (other !== name) symlinkSync(name, join(folder, other))
  }
}

function contentHash(): string {
  const lock = readFileSync(join(projectRoot, 'package-lock.json'))
  return createHash('sha256').update(lock).update(process.version).digest('hex').slice(0, 12)
}
