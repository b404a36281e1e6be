import fs from 'node:fs'
import module from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { whyUnsafe } from '../files/safe-folder.ts'
import { realPath } from '../workspace/real-path.ts'

/** The folder of compiled code below the user's cache: nobody else may write there what we would then run. */
const cacheFolder = () =>
  path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'leakrig', 'compiled')

/** Node's own defaults let a program that parses registries all day hold several times what it needs. */
const FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=20']
/** glibc keeps what was freed, in a heap per thread; what is large goes back to the kernel at once with these. */
const MALLOC = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
}
/** Tells the process that it is the second or the third one. */
const STAGE = 'LEAKRIG_START'

/**
 * Replaces this process by itself, thriftier: it is to run for months. The pid stays, and so do standard output and
 * error. Node strips types with a compiler that then stays in memory, 30 MB; what comes out of Node's compile cache needs
 * none. So with TypeScript sources the second process fills a cache, and the third finds everything in it.
 */
export function startLean(): void {
  const stage = process.env[STAGE]
  if (stage === 'lean' || !process.execve || !canStartAgain()) return
  if (stage === 'filling') module.flushCompileCache()
  else if (needsCache() && isOurs(cacheFolder()))
    becomeAnew({ NODE_COMPILE_CACHE: cacheFolder(), [STAGE]: 'filling' })
  becomeAnew({ ...MALLOC, [STAGE]: 'lean' })
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

function becomeAnew(variables: NodeJS.ProcessEnv): void {
  const flags = process.execArgv.filter(flag => !FLAGS.includes(flag))
  const command = [process.execPath, ...flags, ...FLAGS, ...process.argv.slice(1)]
  process.execve?.(process.execPath, command, { ...process.env, ...variables })
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
