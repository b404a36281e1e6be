import fs from 'node:fs'
import path from 'node:path'
import { diffArrays } from 'diff'
import { CleanupError, messageOf } from '../errors.ts'
import { replaceFile } from '../platform/files/replace-file.ts'
import { quoteForPeople } from '../platform/shell.ts'
import { type ManagedFile, readManagedFile } from './managed-file.ts'
import { type Host, type Manager, requireManager, runCommand } from './manager.ts'
import type { ServicePlan } from './plan.ts'

/** What was done, for people. */
export interface ServiceResult {
  /** For standard output. */
  lines: string[]
  /** For standard error: why something was not done. Empty after a success. */
  problems: string[]
}

export interface InstallOptions {
  /** Replace a file with leakrig's header whose content differs. Another file is never replaced. */
  force: boolean
  /** Also run the manager's commands, instead of only printing them. */
  now: boolean
}

/**
 * Writes a service's file; refuses to replace a file that leakrig did not write. Throws a CleanupError (`bad-argument`)
 * where the manager does not run, or when the file cannot be written.
 */
export async function installService(
  plan: ServicePlan,
  host: Host,
  manager: Manager,
  { force, now }: InstallOptions,
): Promise<ServiceResult> {
  requireManager(host, manager, plan.system)
  const { file } = manager
  const text = manager.render(plan)
  const existing = readManagedFile(file)
  const refusal = refusalOf(existing, text, file, force)
  if (refusal) return refusal
  const isReplaced = existing.is === 'managed'
  const result: ServiceResult = { lines: [], problems: [] }
  if (isReplaced && existing.text === text) result.lines.push(`${file} is already installed and up to date.`)
  else {
    write(file, text)
    result.lines.push(`${isReplaced ? 'Replaced' : 'Wrote'} ${file}.`)
  }
  result.lines.push(...plan.omitted)
  if (!plan.canNotify && manager.kind === 'systemd')
    result.lines.push(
      'systemd-notify is not on the PATH, so the unit has Type=exec and no watchdog; install it to get both.',
    )
  if (/[/\\](?:_npx|tmp)[/\\]/.test(plan.program))
    result.lines.push(
      `${plan.program} is in a folder that is cleared from time to time; install leakrig in a permanent place.`,
    )
  if (now) {
    // launchd does not read the file of a loaded service again.
    if (manager.kind === 'launchd' && isReplaced)
      for (const stop of manager.stopCommands) await runCommand(stop)
    await runAll(manager.startCommands, result)
  } else result.lines.push('Next:', ...shown(manager.startCommands))
  result.lines.push(...manager.advice)
  return result
}

function refusalOf(
  existing: ManagedFile,
  text: string,
  file: string,
  force: boolean,
): ServiceResult | undefined {
  if (existing.is === 'foreign')
    return refused(
      `${file} is ${existing.what}, so leakrig did not write it and leaves it; remove it yourself if it is not needed.`,
    )
  if (existing.is === 'absent' || existing.text === text || force) return undefined
  const { problems } = refused(
    `${file} exists with different content (see above); use --force to replace it.`,
  )
  return { lines: changedLines(existing.text, text), problems }
}

/** `- ` before each line that only `before` has, `+ ` before each that only `after` has. */
function changedLines(before: string, after: string): string[] {
  const changes = diffArrays(before.split('\n'), after.split('\n')).filter(
    ({ added, removed }) => added || removed,
  )
  return changes.flatMap(({ added, value }) => value.map(line => `${added ? '+' : '-'} ${line}`))
}

/**
 * Removes a service's file if leakrig wrote it. Refuses while the service is enabled, because its manager needs the file
 * to stop it properly. Throws a CleanupError (`bad-argument`) where the manager does not run.
 */
export async function uninstallService(
  host: Host,
  manager: Manager,
  system: boolean,
  now: boolean,
): Promise<ServiceResult> {
  const { file } = manager
  const existing = readManagedFile(file)
  if (existing.is === 'absent')
    return { lines: [`${file} does not exist; nothing was removed.`], problems: [] }
  if (existing.is === 'foreign')
    return refused(`${file} is ${existing.what}, so leakrig did not write it and leaves it.`)
  requireManager(host, manager, system)
  const result: ServiceResult = { lines: [], problems: [] }
  if (now) await runAll(manager.stopCommands, result)
  if (result.problems.length > 0) {
    result.problems.push(`${file} was not removed.`)
    return result
  }
  const link = enablingLink(file)
  if (link !== undefined)
    return refused(
      `The service is still enabled by ${link}: run "${manager.stopCommands.map(words => words.join(' ')).join('; ')}" first, or use --now; nothing was removed.`,
    )
  fs.rmSync(file)
  result.lines.push(`Removed ${file}.`)
  if (now) await runAll(manager.unloadCommands, result)
  // launchd keeps a loaded service running, and stops it by its label, with or without the file.
  else
    result.lines.push(
      'Next:',
      ...shown(manager.kind === 'launchd' ? manager.stopCommands : manager.unloadCommands),
    )
  return result
}

/** The link that `systemctl enable` makes beside the units: <target>.wants/<unit>. */
function enablingLink(file: string): string | undefined {
  const folder = path.dirname(file)
  const wants = fs.readdirSync(folder).filter(name => name.endsWith('.wants'))
  return wants
    .map(name => path.join(folder, name, path.basename(file)))
    .find(link => fs.lstatSync(link, { throwIfNoEntry: false }))
}

function write(file: string, text: string): void {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true })
    replaceFile(file, text)
  } catch (cause) {
    throw new CleanupError('bad-argument', `${file} could not be written: ${messageOf(cause)}.`, { cause })
  }
}

/** Runs commands up to the first one that fails. */
async function runAll(commands: string[][], result: ServiceResult): Promise<void> {
  for (const words of commands) {
    const { code, output } = await runCommand(words)
    result.lines.push(`Ran ${words.join(' ')}${code === 0 ? '.' : `: exit code ${code}.`}`)
    if (code === 0) continue
    result.problems.push(`${words.join(' ')} failed: ${output}`)
    return
  }
}

const shown = (commands: string[][]): string[] =>
  commands.map(words => `  ${words.map(quoteForPeople).join(' ')}`)

const refused = (problem: string): ServiceResult => ({ lines: [], problems: [problem] })
