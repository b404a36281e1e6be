import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { CleanupError } from '../errors.ts'
import { ownCommand } from '../programs.ts'
import { LABEL, launchdPlist } from './launchd-plist.ts'
import type { ServicePlan } from './plan.ts'
import { systemdUnit, UNIT_NAME } from './systemd-unit.ts'

/** A service manager: systemd or launchd. Every command is a list of words. */
export interface Manager {
  kind: 'systemd' | 'launchd'
  /** The path of the service's file. */
  file: string
  /** The file's text for a plan. */
  render: (plan: ServicePlan) => string
  /** Load a new or changed file, and start the service. */
  startCommands: string[][]
  /** Stop the service; they need its file. */
  stopCommands: string[][]
  /** Make the manager drop a file that was removed. */
  unloadCommands: string[][]
  /** Print the state of the service. */
  statusCommands: string[][]
  /** What a person should know after the install, in sentences. */
  advice: string[]
}

/** What the choice of a manager depends on. */
export interface Host {
  platform: NodeJS.Platform
  /** True when systemd runs this machine (sd_booted(3) checks for /run/systemd/system). */
  hasSystemd: boolean
  home: string
  /** XDG_CONFIG_HOME, if set. */
  configHome?: string | undefined
  uid: number
}

export function thisHost(): Host {
  const { HOME: home = '/root', XDG_CONFIG_HOME: configHome } = process.env
  return {
    platform: process.platform,
    hasSystemd: fs.existsSync('/run/systemd/system'),
    home,
    configHome,
    uid: process.getuid?.() ?? 0,
  }
}

/** The manager for a system's or a user's service. Throws a CleanupError (`bad-argument`) on other platforms. */
export function managerOf(host: Host, system: boolean): Manager {
  if (host.platform === 'darwin') return launchd(host, system)
  if (host.platform === 'linux') return systemd(host, system)
  throw new CleanupError(
    'bad-argument',
    `${host.platform} has neither systemd nor launchd; run "${ownCommand} daemon" from its own service manager.`,
  )
}

/** Throws a CleanupError (`bad-argument`) where the manager does not run, or this user may not change it. */
export function requireManager(host: Host, manager: Manager, system: boolean): void {
  if (manager.kind === 'systemd' && !host.hasSystemd)
    throw new CleanupError(
      'bad-argument',
      `systemd does not run here (/run/systemd/system is missing); run "${ownCommand} daemon" from the service manager of this machine, or print the unit with --print.`,
    )
  if (system && host.uid !== 0)
    throw new CleanupError(
      'bad-argument',
      `Only root may write ${manager.file}; use sudo, or leave out --system.`,
    )
}

function systemd({ home, configHome }: Host, system: boolean): Manager {
  const folder = system
    ? '/etc/systemd/system'
    : // systemd ignores a relative XDG_CONFIG_HOME as well.
      path.join(
        configHome && path.isAbsolute(configHome) ? configHome : path.join(home, '.config'),
        'systemd/user',
      )
  const systemctl = (...args: string[]) => ['systemctl', ...(system ? [] : ['--user']), ...args]
  return {
    kind: 'systemd',
    file: path.join(folder, UNIT_NAME),
    render: systemdUnit,
    startCommands: [
      systemctl('daemon-reload'),
      systemctl('enable', UNIT_NAME),
      systemctl('restart', UNIT_NAME),
    ],
    stopCommands: [systemctl('disable', '--now', UNIT_NAME)],
    unloadCommands: [systemctl('daemon-reload')],
    statusCommands: [systemctl('is-enabled', UNIT_NAME), systemctl('is-active', UNIT_NAME)],
    advice: system
      ? []
      : [
          'The service stops when you log out. Run "loginctl enable-linger" once to keep it running and to start it at boot.',
        ],
  }
}

// Never run under a real launchd: the tests check the property list and the commands only.
function launchd({ home, uid }: Host, system: boolean): Manager {
  const domain = system ? 'system' : `gui/${uid}`
  const library = system ? '/Library' : path.join(home, 'Library')
  const file = path.join(library, system ? 'LaunchDaemons' : 'LaunchAgents', `${LABEL}.plist`)
  return {
    kind: 'launchd',
    file,
    render: plan => launchdPlist(plan, path.join(library, 'Logs', 'leakrig.log')),
    startCommands: [['launchctl', 'bootstrap', domain, file]],
    stopCommands: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
    unloadCommands: [],
    statusCommands: [['launchctl', 'print', `${domain}/${LABEL}`]],
    advice: [],
  }
}

export interface CommandResult {
  code: number
  /** Standard output and standard error, trimmed. */
  output: string
}

/** A start command returns only when the daemon has reported that it is ready; in ms. */
const COMMAND_TIMEOUT_MS = 120_000

/** Runs one command to its end. Never throws: a missing program has exit code 127. */
export async function runCommand([program = '', ...args]: string[]): Promise<CommandResult> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: COMMAND_TIMEOUT_MS })
    return { code: 0, output: (stdout + stderr).trim() }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string }
    return {
      code: typeof code === 'number' ? code : 127,
      output: `${stdout}${stderr}`.trim() || String(error),
    }
  }
}
