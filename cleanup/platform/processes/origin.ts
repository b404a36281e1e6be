import { backend } from './backend.ts'
import { readWholeEnvironment } from './environment.ts'
import { readProc, readProcText } from './proc-file.ts'

/* Where a process comes from, as the kernel and its initial environment show it. Read for a few processes, never for the whole table. */

/** What the initial environment of a process says about its origin. */
export type EnvironmentTrace =
  /** It could not be read: the process must not be traced (PR_SET_DUMPABLE, set-uid), or is another user's. */
  | { kind: 'unreadable' }
  /** Nothing, or only what a shell adds by itself. `overwritten`: the process has put something else in its place. */
  | { kind: 'emptied' | 'overwritten' }
  /** Only variables that every program passes on, and none that names a login, a terminal, a desktop or a service. */
  | { kind: 'bare'; names: string[] }
  /** A claude started it. */
  | { kind: 'claude' }
  /** It names its origin, or at least was not reduced by anybody. */
  | { kind: 'whole' }

/** The variables that a shell adds by itself to the environment of its children. */
const BY_A_SHELL: ReadonlySet<string> = new Set(['PWD', 'OLDPWD', 'SHLVL', '_'])

/**
 * What is passed on by programs that start others with a selected environment: `env -i PATH=...`, `su`, `sudo`, and the MCP
 * SDK (HOME, LOGNAME, PATH, SHELL, TERM, USER).
 */
const PASSED_ON = /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|MAIL|HOSTNAME)$/

/** claude sets it for everything that it starts. */
const BY_CLAUDE = 'CLAUDECODE'

export function environmentTrace(pid: number): EnvironmentTrace {
  const environment = readWholeEnvironment(pid)
  if (environment === undefined)
    return { kind: readProc(`/proc/${pid}/environ`) === 'gone' ? 'whole' : 'unreadable' }
  const names = [...environment.keys()].filter(name => !BY_A_SHELL.has(name))
  // A variable that we have too came from what started both, and not from an agent's claude.
  if (environment.has(BY_CLAUDE) && process.env[BY_CLAUDE] === undefined) return { kind: 'claude' }
  if (names.length === 0) {
    const bytes = readProcText(`/proc/${pid}/environ`) ?? ''
    const isOverwritten = bytes.split('\0').some(part => part !== '' && !part.includes('='))
    return { kind: isOverwritten || /^\0+$/.test(bytes) ? 'overwritten' : 'emptied' }
  }
  const isBare = names.every(name => PASSED_ON.test(name))
  return isBare && !isOfTerminal(environment) && !isOfCron(environment)
    ? { kind: 'bare', names: names.toSorted() }
    : { kind: 'whole' }
}

/** True when the process was started from a terminal that is not a tmux pane: tmux names its own screen or tmux. */
function isOfTerminal(environment: ReadonlyMap<string, string>): boolean {
  const terminal = environment.get('TERM')
  return terminal !== undefined && !/^(screen|tmux)|^dumb$/.test(terminal)
}

/** True for the environment that cron gives its jobs (crontab(5)): the user's name, and /bin/sh whatever shell the user has. */
const isOfCron = (environment: ReadonlyMap<string, string>): boolean =>
  environment.get('SHELL') === '/bin/sh' && environment.has('LOGNAME') && !environment.has('TERM')

/** True when the process, or the shell that started it, was started with an empty environment, as `env -i` does. */
export function hasEmptyEnvironment(pid: number): boolean {
  const { kind } = environmentTrace(pid)
  return kind === 'emptied' || kind === 'overwritten'
}

/** The systemd unit that a process runs in (`cron.service`, `session-3.scope`); undefined without systemd. */
export function unitOf(pid: number): string | undefined {
  const cgroups = backend === 'proc' ? (readProcText(`/proc/${pid}/cgroup`) ?? '') : ''
  const folder = /^(?:0:|\d+:name=systemd):(\/.+)$/m.exec(cgroups)?.[1] ?? ''
  return folder.split('/').findLast(name => /\.(service|scope)$/.test(name))
}

/** True for a unit that `systemd-run` made, and that nobody has given a name. */
export const isTransientUnit = (unit: string | undefined): boolean =>
  unit !== undefined && /^run-(r[0-9a-f]{32}|u\d+|p\d+-i\d+)\.(service|scope)$/.test(unit)

/** A service, or a login. Other scopes are made around what somebody starts: a pane, a container, an application. */
export const isUnitOfSomebody = (unit: string | undefined): boolean =>
  unit !== undefined && /\.service$|^session-.*\.scope$/.test(unit)

/** The number of the audit session of the kernel for a process without a login. */
const NO_LOGIN = '4294967295'

/** The login (audit session) that a process belongs to, as PAM numbered it; undefined without one. */
export function loginOf(pid: number): string | undefined {
  const login = backend === 'proc' ? readProcText(`/proc/${pid}/sessionid`)?.trim() : undefined
  return login === undefined || login === '' || login === NO_LOGIN ? undefined : login
}

/** The major numbers of pseudo-terminals (admin-guide/devices.txt of the kernel); all other terminals are consoles and lines. */
export function isPseudoTerminal(tty: number): boolean {
  const major = (tty >> 8) & 0xfff
  return major >= 136 && major <= 143
}

/** Variables whose values tell logins, desktops and services apart. */
const OF_A_LOGIN: ReadonlySet<string> = new Set([
  'DISPLAY',
  'INVOCATION_ID',
  'SSH_CONNECTION',
  'SSH_TTY',
  'STY',
  'WAYLAND_DISPLAY',
  'WINDOWID',
  'XDG_SESSION_ID',
])

/** The variables of a process that name its login, desktop or service. */
const loginVariables = (pid: number): ReadonlyMap<string, string> =>
  new Map([...(readWholeEnvironment(pid) ?? [])].filter(([name]) => OF_A_LOGIN.has(name)))

/** True when the environment of a process names a login, desktop or service that none of the processes `own` was started in. */
export function isOfAnotherLogin(pid: number, own: readonly number[]): boolean {
  const variables = [...loginVariables(pid)]
  const known = variables.length > 0 ? own.map(loginVariables) : []
  return variables.some(([name, value]) => !known.some(one => one.get(name) === value))
}
