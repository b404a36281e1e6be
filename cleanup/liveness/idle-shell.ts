import { childrenOf } from '../platform/processes/children.ts'
import { contextSwitchesOf } from '../platform/processes/context-switches.ts'
import { descriptorTarget } from '../platform/processes/open-files.ts'
import { readProc } from '../platform/processes/proc-file.ts'

/** Anything else without children may be the agent itself, in one process. */
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
/** How long a shell at its prompt must have done nothing, in ms: nobody but a person starts claude again from there. */
const PROMPT_MS = 60
/**
 * The same of a shell that runs a script, in ms: it may be a wrapper that starts claude again, and not every wait is a
 * child (`read -t 5` of bash, `sleep` of ksh and of some busyboxes).
 */
const SCRIPT_MS = 10_000

/** A shell that runs nothing, as it was at one moment. */
export interface IdleShell {
  /** The same at two moments only if the shell did nothing in between. */
  sign: string
  /** False while it does something itself, is about to, or is stopped: then the sign says nothing. */
  isAsleep: boolean
  /** How long it must have done nothing before it is certain that it will not start claude again, in ms. */
  restMs: number
}

/** Undefined when that is no shell, or when something runs below it. */
export function readIdleShell(pid: number): IdleShell | undefined {
  if (childrenOf(pid)?.length !== 0) return undefined
  const turns = contextSwitchesOf(pid)
  // A login shell's name begins with a dash.
  if (!turns || !SHELLS.has(turns.name.replace(/^-/, ''))) return undefined
  const { count, isAsleep } = turns
  return { sign: `${pid} ${count}`, isAsleep, restMs: isAtPrompt(pid) ? PROMPT_MS : SCRIPT_MS }
}

/** True when a shell was given nothing to run, and reads from a terminal. */
function isAtPrompt(pid: number): boolean {
  const bytes = readProc(`/proc/${pid}/cmdline`)
  if (typeof bytes === 'string') return false
  const words = bytes.toString('latin1').split('\0').slice(1, -1)
  // -c in any company, as in -ic, is something to run; a word that follows an option may be a script.
  const isNothing = words.every(word => /^-(-[a-z-]*|[^-c]*)$/.test(word))
  return isNothing && descriptorTarget({ pid, fd: 0 })?.startsWith('/dev/pts/') === true
}
