import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, messageOf } from '../errors.ts'
import { replaceFile } from '../platform/files/replace-file.ts'
import { quoteForPeople } from '../platform/shell.ts'
import { difference } from './file-diff.ts'
import { type Present, present } from './managed-file.ts'
import { type Manager, type Place, requireManager, run } from './manager.ts'
import type { ServicePlan } from './plan.ts'

/** What a person is told, and how it went. */
export interface Told {
  /** For standard output. */
  lines: string[]
  /** For standard error: what kept it from being done. */
  problems: string[]
}

export interface InstallOptions {
  /** Replace a file of ours that says something else. Never one that is not ours. */
  force: boolean
  /** Run the manager's commands too, instead of only saying them. */
  now: boolean
}

/** Writes a service's file. Throws a CleanupError where there is no manager; refuses to replace what is not ours. */
export async function installService(
  plan: ServicePlan,
  place: Place,
  manager: Manager,
  { force, now }: InstallOptions,
): Promise<Told> {
  requireManager(place, manager, plan.system)
  const { file } = manager
  const text = manager.render(plan)
  const there = present(file)
  const refusal = refusalOf(there, text, file, force)
  if (refusal) return refusal
  const told: Told = { lines: [], problems: [] }
  if (there.is === 'ours' && there.text === text)
    told.lines.push(`${file} is there already, and says the same.`)
  else {
    write(file, text)
    told.lines.push(`${there.is === 'ours' ? 'Replaced' : 'Wrote'} ${file}.`)
  }
  told.lines.push(...plan.leftOut)
  if (!plan.canNotify && manager.kind === 'systemd')
    told.lines.push('systemd-notify is not on the PATH, so the unit is of Type=exec, and has no watchdog.')
  if (/[/\\](?:_npx|tmp)[/\\]/.test(plan.program))
    told.lines.push(
      `${plan.program} lies where things are removed from time to time; install leakrig somewhere lasting.`,
    )
  if (now) {
    // launchd does not look at a file again that it has loaded.
    if (manager.kind === 'launchd' && there.is === 'ours') for (const stop of manager.toStop) await run(stop)
    await runAll(manager.toStart, told)
  } else told.lines.push('Next:', ...shown(manager.toStart))
  told.lines.push(...manager.advice)
  return told
}

function refusalOf(there: Present, text: string, file: string, force: boolean): Told | undefined {
  if (there.is === 'foreign')
    return told1(
      `${file} is ${there.what}, so somebody else put it there, and it stays; remove it yourself if it may go.`,
    )
  if (there.is === 'absent' || there.text === text || force) return undefined
  const { problems } = told1(`${file} is there and says something else (see above); --force replaces it.`)
  return { lines: difference(there.text, text), problems }
}

/** Removes a service's file, if it is ours, and not while its service is enabled: nothing could end it properly then. */
export async function uninstallService(
  place: Place,
  manager: Manager,
  system: boolean,
  now: boolean,
): Promise<Told> {
  const { file } = manager
  const there = present(file)
  if (there.is === 'absent') return { lines: [`There is no ${file}; nothing was removed.`], problems: [] }
  if (there.is === 'foreign') return told1(`${file} is ${there.what}, so it is not ours, and stays.`)
  requireManager(place, manager, system)
  const told: Told = { lines: [], problems: [] }
  if (now) await runAll(manager.toStop, told)
  if (told.problems.length > 0) {
    told.problems.push(`${file} was left as it is.`)
    return told
  }
  const link = enablingLink(file)
  if (link !== undefined)
    return told1(
      `${link} still starts it: run "${manager.toStop.map(words => words.join(' ')).join('; ')}" first, or use --now; nothing was removed.`,
    )
  fs.rmSync(file)
  told.lines.push(`Removed ${file}.`)
  if (now) await runAll(manager.toForget, told)
  // launchd goes on running what it has loaded, and ends it by its label, with or without the file.
  else told.lines.push('Next:', ...shown(manager.kind === 'launchd' ? manager.toStop : manager.toForget))
  return told
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
  } catch (error) {
    throw new CleanupError('bad-argument', `${file} could not be written: ${messageOf(error)}.`, {
      cause: error,
    })
  }
}

async function runAll(commands: string[][], told: Told): Promise<void> {
  for (const words of commands) {
    const { code, output } = await run(words)
    told.lines.push(`Ran ${words.join(' ')}${code === 0 ? '.' : `: exit code ${code}.`}`)
    if (code === 0) continue
    told.problems.push(`${words.join(' ')} failed: ${output}`)
    return
  }
}

const shown = (commands: string[][]): string[] =>
  commands.map(words => `  ${words.map(quoteForPeople).join(' ')}`)

const told1 = (problem: string): Told => ({ lines: [], problems: [problem] })
