import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { CleanupError } from '../errors.ts'
import { LABEL, launchdPlist } from './launchd-plist.ts'
import type { ServicePlan } from './plan.ts'
import { systemdUnit, UNIT_NAME } from './systemd-unit.ts'

/** The program of the machine that runs services, and how it is spoken to. */
export interface Manager {
  kind: 'systemd' | 'launchd'
  /** Where the service's file lies. */
  file: string
  /** The file's text for a plan. */
  render: (plan: ServicePlan) => string
  /** The commands that put a file that was written, or changed, into force. */
  toStart: string[][]
  /** The commands that end the service, to be run while its file is there. */
  toStop: string[][]
  /** The commands that make the manager forget a file that was removed. */
  toForget: string[][]
  /** Commands that tell how the service is, by their output. */
  toAsk: string[][]
  /** What else a person should know after the install, in sentences. */
  advice: string[]
}

/** What the choice of a manager depends on. */
export interface Place {
  platform: NodeJS.Platform
  /** True when systemd runs this machine (sd_booted(3): /run/systemd/system is there). */
  hasSystemd: boolean
  home: string
  /** XDG_CONFIG_HOME, where it is set. */
  configHome?: string | undefined
  uid: number
}

export function thisPlace(): Place {
  const { HOME: home = '/root', XDG_CONFIG_HOME: configHome } = process.env
  return {
    platform: process.platform,
    hasSystemd: fs.existsSync('/run/systemd/system'),
    home,
    configHome,
    uid: process.getuid?.() ?? 0,
  }
}

/** The manager of a place, for a system's or a user's service. Throws a CleanupError (`bad-argument`) where there is none. */
export function managerOf(place: Place, system: boolean): Manager {
  if (place.platform === 'darwin') return launchd(place, system)
  if (place.platform === 'linux') return systemd(place, system)
  throw new CleanupError(
    'bad-argument',
    `There is neither systemd nor launchd on ${place.platform}; run "leakrig daemon" from whatever starts programs here.`,
  )
}

/** Throws where the manager is not there, or may not be changed by this user. */
export function requireManager(place: Place, manager: Manager, system: boolean): void {
  if (manager.kind === 'systemd' && !place.hasSystemd)
    throw new CleanupError(
      'bad-argument',
      'There is no systemd running here (/run/systemd/system is missing), nor launchd; run "leakrig daemon" from whatever starts programs here, or see the unit with --print.',
    )
  if (system && place.uid !== 0)
    throw new CleanupError(
      'bad-argument',
      `Only root may write ${manager.file}; use sudo, or leave out --system.`,
    )
}

function systemd({ home, configHome }: Place, system: boolean): Manager {
  const folder = system
    ? '/etc/systemd/system'
    : // systemd, too, passes over a relative XDG_CONFIG_HOME.
      path.join(
        configHome && path.isAbsolute(configHome) ? configHome : path.join(home, '.config'),
        'systemd/user',
      )
  const systemctl = (...args: string[]) => ['systemctl', ...(system ? [] : ['--user']), ...args]
  return {
    kind: 'systemd',
    file: path.join(folder, UNIT_NAME),
    render: systemdUnit,
    toStart: [systemctl('daemon-reload'), systemctl('enable', UNIT_NAME), systemctl('restart', UNIT_NAME)],
    toStop: [systemctl('disable', '--now', UNIT_NAME)],
    toForget: [systemctl('daemon-reload')],
    toAsk: [systemctl('is-enabled', UNIT_NAME), systemctl('is-active', UNIT_NAME)],
    advice: system
      ? []
      : [
          'It ends when you log out, unless you run "loginctl enable-linger" once, which lets it start at boot as well.',
        ],
  }
}

function launchd({ home, uid }: Place, system: boolean): Manager {
  const domain = system ? 'system' : `gui/${uid}`
  const library = system ? '/Library' : path.join(home, 'Library')
  const file = path.join(library, system ? 'LaunchDaemons' : 'LaunchAgents', `${LABEL}.plist`)
  return {
    kind: 'launchd',
    file,
    render: plan => launchdPlist(plan, path.join(library, 'Logs', 'leakrig.log')),
    toStart: [['launchctl', 'bootstrap', domain, file]],
    toStop: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
    toForget: [],
    toAsk: [['launchctl', 'print', `${domain}/${LABEL}`]],
    advice: [],
  }
}

/** What a command of the manager's came to. */
export interface Ran {
  code: number
  output: string
}

/** How long a command of the manager's may take, in ms: a start waits until the daemon says that it is ready. */
const PATIENCE_MS = 120_000

/** Runs one command to its end. Never throws: a program that is missing has code 127. */
export async function run([program = '', ...args]: string[]): Promise<Ran> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: PATIENCE_MS })
    return { code: 0, output: (stdout + stderr).trim() }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string }
    return {
      code: typeof code === 'number' ? code : 127,
      output: `${stdout}${stderr}`.trim() || String(error),
    }
  }
}
