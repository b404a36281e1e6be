import fs from 'node:fs'
import module from 'node:module'
import os from 'node:os'
import path from 'node:path'

/** The folder of compiled code below the user's cache: nobody else may write there what we would then run. */
const cacheFolder = () =>
  path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'leakrig', 'compiled')

/**
 * Young objects get 2 MB and not 16: a program that sleeps most of the time has few, and the rest would only be held.
 */
const SMALL_HEAP = '--max-semi-space-size=2'
/** Tells the process that it is the second or the third one. */
const STAGE = 'LEAKRIG_START'

/**
 * Replaces this process by itself, with compiled code to start from. Node strips types with a compiler that then stays in
 * memory, 30 MB in a program that runs for months; what comes out of Node's compile cache needs none. The second process
 * fills the cache, the third finds everything in it. The pid stays, and so do standard output and error. Where no cache
 * can be written, or the sources are JavaScript, it does nothing.
 */
export function startLean(): void {
  const stage = process.env[STAGE]
  if (stage === undefined && import.meta.filename.endsWith('.ts') && !process.env.NODE_COMPILE_CACHE)
    becomeAnew({ NODE_COMPILE_CACHE: cacheFolder(), [STAGE]: 'filling' })
  if (stage !== 'filling') return
  module.flushCompileCache()
  becomeAnew({ [STAGE]: 'filled' })
}

function becomeAnew(variables: NodeJS.ProcessEnv): void {
  if (!process.execve || !isOurs(variables.NODE_COMPILE_CACHE ?? process.env.NODE_COMPILE_CACHE ?? '')) return
  const flags = process.execArgv.filter(flag => flag !== SMALL_HEAP)
  const command = [process.execPath, ...flags, SMALL_HEAP, ...process.argv.slice(1)]
  process.execve(process.execPath, command, { ...process.env, ...variables })
}

function isOurs(folder: string): boolean {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    fs.accessSync(folder, fs.constants.W_OK)
    return fs.statSync(folder).uid === process.getuid?.()
  } catch {
    return false
  }
}
