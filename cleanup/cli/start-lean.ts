import fs from 'node:fs'
import module from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { LEAN_FLAGS, LEAN_MALLOC } from '../daemon/lean.ts'
import { realPath } from '../platform/files/real-path.ts'
import { whyUnsafe } from '../platform/files/safe-folder.ts'

/** The folder of compiled code below the user's cache: nobody else may write there what we would then run. */
const cacheFolder = () =>
  path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'leakrig', 'compiled')

/** Tells the process that it is the second or the third one. */
const STAGE = 'LEAKRIG_START'

/**
 * Replaces this process by itself, thriftier, where a person started it: it is to run for months. The pid stays, and so
 * do standard output and error. Whoever starts it with the flags (lean.ts) gets it at once, from a bundle. Node strips types
 * with a compiler that then stays in memory, 30 MB; what comes out of Node's compile cache needs none. So with TypeScript
 * sources the second process fills a cache, and the third finds everything in it.
 */
export function startLean(): void {
  const stage = process.env[STAGE]
  if (stage === 'lean' || !process.execve || !canStartAgain()) return
  const fills = stage === undefined && needsCache() && isOurs(cacheFolder())
  if (stage === undefined && !fills && isLean()) return
  // For the next start like this one.
  module.flushCompileCache()
  becomeAnew(fills ? { NODE_COMPILE_CACHE: cacheFolder(), [STAGE]: 'filling' } : { [STAGE]: 'lean' })
}

/** An execve(2) that fails ends Node. Root's own copy of the project may not be readable for the owner that it became. */
function canStartAgain(): boolean {
  const { R_OK, X_OK } = fs.constants
  try {
    fs.accessSync(process.execPath, X_OK)
    fs.accessSync(process.argv[1] ?? '', R_OK)
    return true
  } catch {
    return false
  }
}

function isLean(): boolean {
  const { execArgv, env } = process
  return (
    LEAN_FLAGS.every(flag => execArgv.includes(flag)) &&
    Object.entries(LEAN_MALLOC).every(([name, value]) => env[name] === value)
  )
}

function becomeAnew(variables: NodeJS.ProcessEnv): void {
  const flags = process.execArgv.filter(flag => !LEAN_FLAGS.includes(flag))
  const command = [process.execPath, ...flags, ...LEAN_FLAGS, ...process.argv.slice(1)]
  process.execve?.(process.execPath, command, { ...process.env, ...LEAN_MALLOC, ...variables })
}

function needsCache(): boolean {
  return import.meta.filename.endsWith('.ts') && !process.env.NODE_COMPILE_CACHE
}

/** False also where somebody else may write a folder on the way: root may have been given the home of a user. */
function isOurs(folder: string): boolean {
  try {
    let there = realPath(folder)
    while (!fs.existsSync(there)) there = path.dirname(there)
    if (whyUnsafe(there)) return false
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    fs.accessSync(folder, fs.constants.W_OK)
    return fs.statSync(folder).uid === process.getuid?.()
  } catch {
    return false
  }
}
