import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Program } from './programs.ts'

/** Runs each program once, so that V8's compiled code is stored beside it (start.ts). */
export async function compileEach(programs: Record<string, Program>, folder: string): Promise<void> {
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
  await Promise.all(Object.entries(programs).map(warmUp))
  rmSync(home, { recursive: true })
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
    for (const other of others) if (other !== name) symlinkSync(name, join(compiled, other))
  }
}
