import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Program } from './programs.ts'

/**
 * Makes the compiled code of a package's programs once for each version of Node, where their folder is this user's and can
 * be written to. Everywhere else they are compiled at each start, which takes 30 to 80 ms more.
 */
export async function compileOnce(programs: Record<string, Program>, folder: string): Promise<void> {
  const done = join(folder, 'compiled', `done-${process.version}-${process.arch}`)
  if (existsSync(done) || statSync(folder).uid !== process.geteuid?.()) return
  // Only one process at a time; the others start without compiled code.
  const claim = join(folder, 'compiling')
  try {
    if (isInterrupted(claim)) rmSync(claim, { recursive: true, force: true })
    mkdirSync(claim)
    try {
      await compileEach(programs, folder)
      readableForAll(folder)
      writeFileSync(done, '')
    } finally {
      rmSync(claim, { recursive: true, force: true })
    }
  } catch (error) {
    if (!isCannotWrite(error)) throw error
  }
}

/** True for what a killed run left. Nothing takes an hour. */
function isInterrupted(claim: string): boolean {
  const { mtimeMs } = statSync(claim, { throwIfNoEntry: false }) ?? {}
  return mtimeMs !== undefined && Date.now() - mtimeMs > 3_600_000
}

/** A read-only folder, a full disk, and another process that was faster. */
export const isCannotWrite = (error: unknown): boolean =>
  cannotWrite.includes((error as NodeJS.ErrnoException).code ?? '')

const cannotWrite = ['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT', 'ENOTEMPTY', 'EEXIST']

/** Runs each program once, so that V8's compiled code is stored beside it (start.ts). */
export async function compileEach(programs: Record<string, Program>, folder: string): Promise<void> {
  mkdirSync(join(folder, 'compiled'), { recursive: true })
  const home = mkdtempSync(join(folder, 'home-'))
  const workspace = join(home, 'workspace')
  mkdirSync(workspace)
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    CLAUDE_CODE_TMPDIR: home,
    CLAUDE_ORCHESTRATOR_WORKSPACE: workspace,
  }
  const warmUp = ([name, program]: [string, Program]) =>
    execa(process.execPath, [join(folder, `${name}.mjs`), ...program.warmUpArgs(home, folder)], {
      cwd: home,
      env,
      extendEnv: false,
      input: program.input ?? '',
      reject: false,
      timeout: 30_000,
    })
  try {
    await Promise.all(Object.entries(programs).map(warmUp))
  } finally {
    rmSync(home, { recursive: true })
  }
}

/**
 * Node stores compiled code per user, in a folder that ends in the uid. Sandboxes run as other users: root in a user
 * namespace, 1000 in a container.
 */
export function readableForAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isSymbolicLink()) chmodSync(path, entry.isDirectory() ? 0o755 : lstatSync(path).mode | 0o444)
  }
  const compiled = join(folder, 'compiled')
  for (const name of readdirSync(compiled)) {
    const others = ['0', '1000'].map(uid => name.replace(/-\d+$/, `-${uid}`))
    for (const other of others)
      if (other !== name && !existsSync(join(compiled, other))) symlinkSync(name, join(compiled, other))
  }
}
