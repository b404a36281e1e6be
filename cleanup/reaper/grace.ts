import fs from 'node:fs'
import path from 'node:path'
import type { Claim } from '../claims/evidence.ts'
import { attempt } from '../errors.ts'
import { isJson, type Json, SMALL_BYTES } from '../platform/files/json.ts'
import { readRegular } from '../platform/files/regular-file.ts'
import { ownUid } from '../platform/files/trust.ts'
import { parseJson } from '../platform/json/parse.ts'
import { argumentsOf, folderOf } from '../platform/processes/details.ts'
import { readWholeEnvironment } from '../platform/processes/environment.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { placesIn } from './claude-leftovers/places.ts'

/** How long an agent's processes get from the first TERM to the KILL, in ms: claude ends its own children in up to 2 s. */
const GRACE_MS = 3_000
/** The same for a claude with hooks, which it also runs while it ends, in ms: up to 6.8 s, measured (docs/claude.md). */
export const HOOKS_GRACE_MS = 7_000

/** Settings that the machine's administrator imposes on every claude. */
const MANAGED = '/etc/claude-code'
/** How many folders up from claude's working folder are searched for the top of its repository. */
const MOST_FOLDERS = 64

/**
 * The grace of an agent that nobody gave another: longer for a claude whose settings have hooks, or that runs one now. It is
 * only a bound: an ending takes no longer because of it. A claude that is killed within a hook leaves the hook's processes.
 */
export function graceFor(claims: ReadonlyMap<number, Claim>): number {
  const living = [...claims.values()].map(({ process }) => process).filter(one => !hasEnded(one))
  const claudes = new Set(living.filter(({ comm }) => comm === 'claude').map(({ pid }) => pid))
  if (claudes.size === 0) return GRACE_MS
  const runsHook = living.some(
    ({ pid, ppid, sid, tty }) => claudes.has(ppid) && sid === pid && tty === 0 && isHook(pid),
  )
  return runsHook || [...claudes].some(hasHooks) ? HOOKS_GRACE_MS : GRACE_MS
}

/** claude gives these variables to its hooks; of its other children only the MCP servers, on its terminal, have the first. */
const isHook = (pid: number): boolean => {
  const environment = readWholeEnvironment(pid)
  return environment?.has('CLAUDE_PROJECT_DIR') === true || environment?.has('CLAUDE_ENV_FILE') === true
}

function hasHooks(pid: number): boolean {
  const cwd = folderOf(pid)
  const all = [...managedFiles(), ...userFiles(pid), ...projectFiles(cwd)].map(readSettings)
  const settings = [...all, ...settingsArguments(pid, cwd)].filter(one => one !== undefined)
  if (settings.some(({ disableAllHooks }) => disableAllHooks === true)) return false
  return settings.some(one => isNotEmpty(one.hooks) || isEnabledAny(one.enabledPlugins))
}

const isNotEmpty = (hooks: unknown): boolean =>
  isJson(hooks) && Object.values(hooks).some(list => Array.isArray(list) && list.length > 0)

/** A plugin may have hooks of its own. */
const isEnabledAny = (plugins: unknown): boolean =>
  isJson(plugins) && Object.values(plugins).some(value => value === true)

function managedFiles(): string[] {
  const folder = path.join(MANAGED, 'managed-settings.d')
  const parts =
    attempt(
      () => fs.readdirSync(folder),
      () => {},
    ) ?? []
  return [path.join(MANAGED, 'managed-settings.json'), ...parts.map(name => path.join(folder, name))]
}

/** CLAUDE_CONFIG_DIR replaces `~/.claude`; where both are set, reading one file more does no harm. */
function userFiles(pid: number): string[] {
  const environment = readWholeEnvironment(pid)
  const { folders } = placesIn(environment ? [environment] : [])
  return folders.map(({ root, name }) => path.join(root, name, 'settings.json'))
}

/** The settings of the project: in claude's working folder and those above, up to the top of the repository. */
function projectFiles(cwd: string | undefined): string[] {
  if (cwd === undefined) return []
  const folders = [cwd]
  const isTop = (folder: string) => fs.existsSync(path.join(folder, '.git'))
  for (let at = cwd; !isTop(at); at = path.dirname(at)) {
    const above = path.dirname(at)
    // Outside of a repository only the working folder counts.
    if (above === at || folders.length >= MOST_FOLDERS) return inFolder(cwd)
    folders.push(above)
  }
  return folders.flatMap(inFolder)
}

const inFolder = (folder: string): string[] =>
  ['settings.json', 'settings.local.json'].map(name => path.join(folder, '.claude', name))

/** The values of `--settings`, each a file or JSON. Versions of claude that hide their arguments show none. */
function settingsArguments(pid: number, cwd: string | undefined): (Json | undefined)[] {
  const words = argumentsOf(pid)
  return words.flatMap((word, n) => {
    const value = word === '--settings' ? words[n + 1] : /^--settings=(.*)$/s.exec(word)?.[1]
    if (value === undefined) return []
    if (value.trimStart().startsWith('{')) return [parse(value)]
    return cwd === undefined ? [] : [readSettings(path.resolve(cwd, value))]
  })
}

/** Follows links, because people keep their settings elsewhere, and reads a regular file of ours or root's with a limit. */
function readSettings(file: string): Json | undefined {
  return attempt(
    () => parse(readRegular(fs.realpathSync(file), ownUid(), SMALL_BYTES).toString('utf8')),
    () => {},
  )
}

function parse(text: string): Json | undefined {
  const content = attempt(
    () => parseJson(text),
    () => {},
  )
  return isJson(content) ? content : undefined
}
