import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { CannotMeasureError } from '../../errors.ts'
import { printProblem } from '../../terminal.ts'
import { type InstallStep, WrongNeed } from '../needs.ts'
import { type CheckedStep, checkStep, failureOf } from './key.ts'
import { withLock } from './lock.ts'
import { removeOldInstalls } from './old.ts'

const dayMs = 24 * 3_600_000
const longestMs = 30 * 60_000

/** The folder with what install steps have made, one folder for each. It is made if it is missing. */
export function installsFolder(): string {
  const { XDG_CACHE_HOME: given } = process.env
  // A relative path is to be ignored (XDG Base Directory Specification).
  const cache = given?.startsWith('/') ? given : join(homedir(), '.cache')
  const folder = join(cache, 'leakrig/installs')
  try {
    mkdirSync(folder, { recursive: true })
    return realpathSync(folder)
  } catch (error) {
    throw new CannotMeasureError(
      `The folder ${folder} for install steps cannot be made (${(error as NodeJS.ErrnoException).code}): make it writable, or set XDG_CACHE_HOME.`,
    )
  }
}

/**
 * Runs a step on this machine, unless its result is there. Of several rigs that want it at once, one runs it.
 * @returns the folder with the result
 * @throws CannotMeasureError when the step fails or takes longer than half an hour
 * @throws WrongNeed for a step that cannot be run
 */
export async function installOnHost(given: InstallStep): Promise<string> {
  const step = checkStep(given, ['namespace'])
  if (step.cwd !== undefined && !statSync(step.cwd, { throwIfNoEntry: false })?.isDirectory())
    throw new WrongNeed(
      `The folder ${JSON.stringify(step.cwd)} of the install step does not exist: name one that does.`,
    )
  const all = installsFolder()
  const folder = join(all, step.hash)
  // Written last: a folder without it is of a step that was interrupted.
  const done = `${folder}.done`
  const isThere = () => existsSync(done) && existsSync(folder)
  if (isThere()) return used(folder, done)
  return withLock(all, step.hash, async lock => {
    if (isThere()) return used(folder, done)
    rmSync(done, { force: true })
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { mode: 0o755 })
    printProblem(`running the install step, once: ${step.run}`)
    try {
      await run(step, folder, lock)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
    writeFileSync(done, '')
    removeOldInstalls(all)
    return folder
  })
}

/** Notes once a day that a result is in use. */
function used(folder: string, done: string): string {
  if (Date.now() - statSync(done).mtimeMs > dayMs) utimesSync(done, new Date(), new Date())
  return folder
}

async function run({ run: command, cwd }: CheckedStep, folder: string, lock: number): Promise<void> {
  const nothing = openSync('/dev/null', 'r')
  const child = spawn('sh', [join(import.meta.dirname, 'guard.sh'), command], {
    cwd: cwd ?? folder,
    env: { ...process.env, LEAKRIG_INSTALL: folder },
    // Ctrl-C reaches only the rig, whose end ends the step.
    detached: true,
    stdio: [nothing, 'pipe', 'pipe', 'pipe', lock],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr] as Readable[])
    stream.on('data', chunk => {
      output = `${output}${chunk}`.slice(-4000)
    })
  let isTooLong = false
  const timer = setTimeout(() => {
    isTooLong = true
    ;(child.stdio[3] as Readable).destroy()
  }, longestMs)
  const closed = once(child, 'close')
  const [code, signal] = await once(child, 'exit').finally(() => clearTimeout(timer))
  // The last output arrives after the end. A service that the step leaves running may hold the streams for ever.
  await Promise.race([closed, delay(1_000, undefined, { ref: false })])
  for (const stream of child.stdio) stream?.destroy()
  if (isTooLong) throw failureOf(command, `took longer than ${longestMs / 60_000} min`, output)
  if (code !== 0) throw failureOf(command, `failed (${signal ?? `exit code ${code}`})`, output)
}
