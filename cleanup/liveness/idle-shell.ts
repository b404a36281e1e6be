import { childrenOf } from '../platform/processes/children.ts'
import { contextSwitchesOf } from '../platform/processes/context-switches.ts'
import { descriptorTarget } from '../platform/processes/open-files.ts'
import { readProc } from '../platform/processes/proc-file.ts'

/** Any other program without children may be the agent itself, in a single process. */
const SHELLS: ReadonlySet<string> = new Set([
  'sh',
  'bash',
  'dash',
  'ash',
  'zsh',
  'ksh',
  'fish',
  'tcsh',
  'csh',
  'busybox',
])
/** How long a shell at its prompt must have done nothing, in ms: only a person starts claude again from there. */
const PROMPT_MS = 60
/**
 * The same for a shell that runs a script, in ms. The script may be a wrapper that starts claude again, and not every
 * wait is a child process (`read -t 5` in bash, `sleep` in ksh and in some busyboxes).
 */
const SCRIPT_MS = 10_000

/** A shell that runs nothing, at one moment. */
export interface IdleShell {
  /** Equal at two moments only if the shell did nothing in between. */
  fingerprint: string
  /** False while the shell runs, is about to run, or is stopped. The fingerprint then proves nothing. */
  isAsleep: boolean
  /** How long the shell must have done nothing before it is certain that it will not start claude again, in ms. */
  quietMs: number
}

/** Undefined when the process is not a shell, or when something runs below it. */
export function readIdleShell(pid: number): IdleShell | undefined {
  if (childrenOf(pid)?.length !== 0) return undefined
  const switches = contextSwitchesOf(pid)
  // The name of a login shell begins with a dash.
  if (!switches || !SHELLS.has(switches.name.replace(/^-/, ''))) return undefined
  const { count, isAsleep } = switches
  return { fingerprint: `${pid} ${count}`, isAsleep, quietMs: isAtPrompt(pid) ? PROMPT_MS : SCRIPT_MS }
}

/** True when a shell was started without anything to run, and reads from a terminal. */
function isAtPrompt(pid: number): boolean {
  const bytes = readProc(`/proc/${pid}/cmdline`)
  if (typeof bytes === 'string') return false
  const words = bytes.toString('latin1').split('\0').slice(1, -1)
  // -c among other letters, as in -ic, is something to run; a word after an option may be a script.
  const runsNothing = words.every(word => /^-(-[a-z-]*|[^-c]*)$/.test(word))
  return runsNothing && descriptorTarget({ pid, fd: 0 })?.startsWith('/dev/pts/') === true
}
