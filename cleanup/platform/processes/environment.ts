import { sharesPids } from './namespaces.ts'
import { readProc } from './proc-file.ts'

/** The variable with which our orchestrator marks every process of an agent from its start. */
export const MARKER = 'LEAKRIG_AGENT'

/**
 * What a process's initial environment says about its origin. It is fixed at exec and inherited, so it still tells when the
 * parent, group, session and terminal no longer do.
 */
export interface Environment {
  marker?: string
  tmux?: string
  pane?: string
  /** The screen session in which it was started (STY, which begins with its server's pid), and its window there. */
  screen?: string
  window?: string
  /** The session of the claude whose tool started it (CLAUDE_CODE_SESSION_ID). */
  session?: string
  /** The folder of the background session that started it (CLAUDE_JOB_DIR). */
  job?: string
  /**
   * True when the process is in our pid namespace, so that pids and panes in the variables above mean the same for us. Read
   * with them, because a process that forks its successor and exits is gone before anybody asks.
   */
  sharesPids: boolean
  /** False when it could not be read (another user's process, or one that must not be traced): then it proves nothing. */
  readable: boolean
}

export const NO_ENVIRONMENT: Environment = Object.freeze({ sharesPids: false, readable: true })
const UNREADABLE: Environment = Object.freeze({ sharesPids: false, readable: false })
const INTERESTING = [`${MARKER}=`, 'TMUX='].map(name => Buffer.from(name))

/** The variables of a process's environment that claims use. */
export function readEnvironment(pid: number): Environment {
  const bytes = readProc(`/proc/${pid}/environ`)
  if (typeof bytes === 'string') return bytes === 'gone' ? NO_ENVIRONMENT : UNREADABLE
  // Most processes have neither variable, and searching the bytes is much cheaper than parsing them.
  if (!INTERESTING.some(name => bytes.includes(name))) return NO_ENVIRONMENT
  const values = parse(bytes)
  const found: Environment = { sharesPids: sharesPids(pid), readable: true }
  const [marker, tmux, pane] = [values.get(MARKER), values.get('TMUX'), values.get('TMUX_PANE')]
  if (marker !== undefined) found.marker = marker
  if (tmux !== undefined) found.tmux = tmux
  if (pane !== undefined) found.pane = pane
  const [screen, window] = [values.get('STY'), values.get('WINDOW')]
  if (screen !== undefined) found.screen = screen
  if (window !== undefined) found.window = window
  const [session, job] = [values.get('CLAUDE_CODE_SESSION_ID'), values.get('CLAUDE_JOB_DIR')]
  if (session !== undefined) found.session = session
  if (job !== undefined) found.job = job
  return found
}

/** The whole initial environment; undefined when the process is gone or its environment cannot be read. */
export function readWholeEnvironment(pid: number): ReadonlyMap<string, string> | undefined {
  const bytes = readProc(`/proc/${pid}/environ`)
  return typeof bytes === 'string' ? undefined : parse(bytes)
}

/** The initial environment as /proc shows it, `gone` when the process has ended, or `unreadable`. */
export function readEnvironmentText(pid: number): { text: string } | 'gone' | 'unreadable' {
  const bytes = readProc(`/proc/${pid}/environ`)
  return typeof bytes === 'string' ? bytes : { text: bytes.toString('utf8') }
}

const parse = (bytes: Buffer): Map<string, string> => parseEnvironment(bytes.toString('utf8'))

export function parseEnvironment(text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split('\0')) {
    const equals = line.indexOf('=')
    const name = line.slice(0, equals)
    // getenv(3) returns the first of two equal names; so do we.
    if (equals > 0 && !values.has(name)) values.set(name, line.slice(equals + 1))
  }
  return values
}
