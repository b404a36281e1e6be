import fs from 'node:fs'
import module from 'node:module'
import os from 'node:os'
import path from 'node:path'

/** The folder of compiled code below the user's cache: nobody else may write there what we would then run. */
const cacheFolder = () =>
  path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'leakrig', 'compiled')

/**
 * Replaces this process by itself, with compiled code to start from. Node strips types with a compiler that then stays in
 * memory, 30 MB in a program that runs for months; what comes out of Node's compile cache needs none. The pid stays, and
 * so do standard output and error. Where no cache can be written, or the sources are JavaScript, it does nothing.
 */
export async function startLean(load: () => Promise<unknown>): Promise<void> {
  const { execve } = process
  if (!import.meta.filename.endsWith('.ts') || process.env.NODE_COMPILE_CACHE || !execve) return
  const folder = cacheFolder()
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    fs.accessSync(folder, fs.constants.W_OK)
  } catch {
    return
  }
  // It only holds what was loaded while it was on.
  if (module.enableCompileCache(folder).status !== module.constants.compileCacheStatus.ENABLED) return
  await load()
  module.flushCompileCache()
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  execve.call(process, process.execPath, command, { ...process.env, NODE_COMPILE_CACHE: folder })
}
