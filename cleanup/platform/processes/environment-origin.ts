import { MARKER, parseEnvironment, readWholeEnvironment } from './environment.ts'

/* Where a process comes from, as its initial environment shows it: a decision from text alone. */

type Variables = ReadonlyMap<string, string>

/** The environments that one process's is compared with. */
export interface KnownEnvironments {
  /** Of the agent's panes. The agent is in the places that they name. */
  panes: readonly Variables[]
  /** Of the tmux server, if it is known. The agent is in the places that it names, too. */
  server: readonly Variables[]
  /** Of process 1 and of this program: like the server's, nobody has reduced them, and they are not the agent's. */
  others: readonly Variables[]
}

/** What the initial environment of a process says about its origin. */
export type EnvironmentTrace =
  /** It could not be read: the process must not be traced (PR_SET_DUMPABLE, set-uid), or is another user's. */
  | { kind: 'unreadable' }
  /** Nothing, or only what a shell adds by itself. `overwritten`: the process has put something else in its place. */
  | { kind: 'emptied' | 'overwritten' }
  /** A login, desktop, terminal, service or job in which the agent was not started. */
  | { kind: 'elsewhere' }
  /** A claude started it. `claude`: that one's pid, where the environment has it. */
  | { kind: 'claude'; name: string; claude: number }
  /** tmux started it in a pane, and somebody has removed TMUX. */
  | { kind: 'pane' }
  /** Nothing tells where it comes from, and most of what the agent was started with is missing. */
  | { kind: 'untold'; names: string[] }
  /** Nobody has reduced it, and the agent was started in the same place. */
  | { kind: 'whole' }

/** The variables that a shell adds by itself to the environment of its children. */
const BY_A_SHELL: ReadonlySet<string> = new Set(['PWD', 'OLDPWD', 'SHLVL', '_'])

/**
 * What is passed on by programs that start others with a selected environment: `env -i PATH=...`, `su`, `sudo`, and the MCP
 * SDK (HOME, LOGNAME, PATH, SHELL, TERM, USER).
 */
const PASSED_ON = /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|MAIL)$/

/**
 * What names neither a user nor a place: programs need it, so it is kept where all else is removed. TERM is none: `service`,
 * which starts the system's daemons where there is no systemd, always gives it.
 */
const OF_NOBODY = /^(PATH|HOME|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR)$/

/** What the agent's marks, tmux and npm add: it says nothing about who has inherited an environment as a whole. */
const ADDED = new RegExp(`^(${MARKER}|TMUX|TMUX_PANE|TERM_PROGRAM|TERM_PROGRAM_VERSION|COLORTERM|npm_.*)$`)

/** What claude sets for everything that it starts, or for what its tools start, and nobody else does. */
const SESSION = 'CLAUDE_CODE_SESSION_ID'
const BY_CLAUDE = [
  'CLAUDECODE',
  SESSION,
  'CLAUDE_CODE_CHILD_SESSION',
  'CLAUDE_CODE_ENTRYPOINT',
  'CLAUDE_CODE_EXECPATH',
  'CLAUDE_CODE_MESSAGING_SOCKET',
  'CLAUDE_CODE_MESSAGING_TOKEN',
  'CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS',
  'CLAUDE_PID',
  'AI_AGENT',
  'NoDefaultCurrentDirectoryInExePath',
]

/**
 * The variables that name a login, desktop, terminal, service, container or job, each by a value of its own. An agent does not
 * set them by hand for what it starts. SUDO_USER is none: it names a user, and the agent may have that user's rights.
 */
const OF_A_PLACE = new RegExp(
  `^(${[
    'SSH_(CONNECTION|CLIENT|TTY)',
    'XDG_(SESSION_[A-Z]+|SEAT|SEAT_PATH|SESSION_PATH|VTNR|CURRENT_DESKTOP)',
    'DESKTOP_SESSION|DESKTOP_STARTUP_ID|GDMSESSION|SESSION_MANAGER|KDE_(FULL_SESSION|SESSION_[A-Z]+)|GNOME_[A-Z_]+',
    'GIO_LAUNCHED_DESKTOP_FILE(_PID)?|SWAYSOCK|I3SOCK|HYPRLAND_INSTANCE_SIGNATURE|DBUS_STARTER_[A-Z_]+',
    'TERM_PROGRAM|TERM_SESSION_ID|WINDOWID|VTE_VERSION|(KONSOLE|KITTY|ALACRITTY|WEZTERM|ITERM|GHOSTTY|ZELLIJ|VSCODE|WSL)_[A-Z_]+',
    'TERMINATOR_UUID|TILIX_ID|WT_SESSION|INSIDE_EMACS|STY|ZELLIJ',
    'INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET|LISTEN_(PID|FDS|FDNAMES)|WATCHDOG_(PID|USEC)|SYSTEMD_EXEC_PID|MANAGERPID',
    '(RUNTIME|STATE|CACHE|LOGS|CONFIGURATION|CREDENTIALS)_DIRECTORY|UPSTART_[A-Z]+|RC_SVCNAME|RUNLEVEL|SUPERVISOR_[A-Z_]+',
    'GITHUB_RUN_ID|RUNNER_TRACKING_ID|CI_JOB_ID|JENKINS_NODE_COOKIE|BUILDKITE_JOB_ID|CIRCLE_JOB|TRAVIS_JOB_ID',
    'KUBERNETES_SERVICE_HOST|NOMAD_ALLOC_ID|FLY_MACHINE_ID|DYNO',
  ].join('|')})$`,
)

/** What an agent sets by hand, too (a display of its own, for a browser): it tells only in an environment that is whole. */
const OF_A_DISPLAY = /^(DISPLAY|WAYLAND_DISPLAY)$/

/** The console's type of terminal: no program in tmux is started with it. */
const CONSOLE = 'linux'

/** The names of a place, of which only a value that systemd gives counts: agents make such folders and buses, too. */
const OF_A_USER_MANAGER = /^(XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS)$/

const isOfPlace = (name: string, value: string): boolean =>
  (OF_A_PLACE.test(name) && !(name === 'TERM_PROGRAM' && value === 'tmux')) ||
  (OF_A_USER_MANAGER.test(name) && value.includes('/run/user/')) ||
  (name === 'TERM' && value === CONSOLE)

const isOfDisplay = (name: string): boolean => OF_A_DISPLAY.test(name)

/** Judges an environment, as /proc shows it (`text`). */
export function originOf(text: string, { panes, server, others }: KnownEnvironments): EnvironmentTrace {
  const environment = parseEnvironment(text)
  const names = [...environment.keys()].filter(name => !BY_A_SHELL.has(name)).sort()
  if (names.length === 0) {
    const isOverwritten = text.split('\0').some(part => part !== '' && !part.includes('='))
    return { kind: isOverwritten || /^\0+$/.test(text) ? 'overwritten' : 'emptied' }
  }
  const places = [...panes, ...server]
  const older = [...server, ...others]
  const isOlder = (name: string) => older.some(one => one.get(name) === environment.get(name))
  const isElsewhere = isFromElsewhere(environment, places, isOfPlace)
  // Where nothing of the agent was alive to show its places, what claude and tmux have added counts for more.
  if (isOfCron(environment) || (isElsewhere && places.length > 0)) return { kind: 'elsewhere' }
  // What claude starts has the session of that claude, and none that was there before.
  if (environment.has(SESSION) && isOlder(SESSION)) return { kind: 'elsewhere' }
  const byClaude = BY_CLAUDE.find(name => environment.has(name) && !isOlder(name))
  if (byClaude !== undefined)
    return { kind: 'claude', name: byClaude, claude: Number(environment.get('CLAUDE_PID')) }
  if (environment.get('TERM_PROGRAM') === 'tmux' && !environment.get('TMUX') && !isOlder('TERM_PROGRAM'))
    return { kind: 'pane' }
  if (isElsewhere) return { kind: 'elsewhere' }
  if (![...older, ...panes].some(one => isWhole(environment, one))) return { kind: 'untold', names }
  return { kind: isFromElsewhere(environment, places, isOfDisplay) ? 'elsewhere' : 'whole' }
}

/** True when the initial environment of a process names nobody: it is empty, overwritten, or holds only what every program needs. */
export function namesNobody(pid: number): boolean {
  const environment = readWholeEnvironment(pid)
  return (
    environment !== undefined &&
    [...environment.keys()].every(name => BY_A_SHELL.has(name) || OF_NOBODY.test(name))
  )
}

/** True when an environment names a place in which none of `own` is. */
const isFromElsewhere = (
  environment: Variables,
  own: readonly Variables[],
  isOf: (name: string, value: string) => boolean,
): boolean =>
  [...environment].some(([name, value]) => isOf(name, value) && !own.some(one => one.get(name) === value))

/** True when an environment holds more than half of what another one adds to what is passed on anyway. */
function isWhole(environment: Variables, other: Variables): boolean {
  const added = [...other].filter(
    ([name]) =>
      !(BY_A_SHELL.has(name) || PASSED_ON.test(name) || ADDED.test(name) || BY_CLAUDE.includes(name)),
  )
  return added.filter(([name, value]) => environment.get(name) === value).length * 2 > added.length
}

/**
 * True for the environment that cron gives its jobs (crontab(5)), whatever a crontab adds: the user's name, and /bin/sh whatever
 * shell the user has. A crontab may name another shell; what has that from a login has USER, too.
 */
const isOfCron = (environment: Variables): boolean =>
  environment.has('LOGNAME') &&
  environment.has('HOME') &&
  !environment.has('TERM') &&
  (environment.get('SHELL') === '/bin/sh' || (environment.has('SHELL') && !environment.has('USER')))

/** True when the environment of a process names a login, desktop or service that none of the processes `own` was started in. */
export function isOfAnotherLogin(pid: number, own: readonly number[]): boolean {
  const environment = readWholeEnvironment(pid) ?? new Map()
  const isOf = (name: string, value: string) => isOfPlace(name, value) || isOfDisplay(name)
  const names = [...environment].some(([name, value]) => isOf(name, value))
  return (
    names &&
    isFromElsewhere(
      environment,
      own.map(one => readWholeEnvironment(one) ?? new Map()),
      isOf,
    )
  )
}
