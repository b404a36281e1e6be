import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { logWriters } from '../claims/log-writers.ts'
import { childrenOf } from '../processes/children.ts'
import { tellsOpenFiles } from '../processes/open-files.ts'
import { readMachine, readProcess } from '../processes/table.ts'
import type { Whereabouts } from '../tmux/locate.ts'
import { agentFiles } from '../workspace/agent-files.ts'
import type { AgentRef } from '../workspace/layout.ts'
import type { AgentEntry } from '../workspace/registry-types.ts'
import { below } from './pane-shell.ts'

/** How long a pane must be at rest, in ms: a wrapper that starts claude again is so for a moment between two runs. */
const REST_MS = 300
/** How old an agent must be whose log is still empty, in ms: before that, its claude may be about to start. */
const START_MS = 60_000
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

/**
 * In plain words that an agent's claude has left its panes behind, which live on (`; exec $SHELL`); undefined when
 * that is not certain. It is when every pane holds a shell that runs nothing, and the agent's log was begun and
 * nobody has it open for writing, for a while. Where it cannot be told who has a file open, it is never certain.
 */
export async function leftBehind(
  ref: AgentRef,
  entry: AgentEntry,
  where: Whereabouts,
): Promise<string | undefined> {
  const log = agentFiles(ref, entry).stream
  if (where.panes.length === 0) return undefined
  const state = () =>
    where.panes.every(pane => pane.dead || isAtRest(pane.pid, entry)) ? sizeOf(log) : undefined
  const size = state()
  if (!tellsOpenFiles || size === undefined || (size === 0 && isYoung(entry))) return undefined
  await sleep(REST_MS)
  const { openFiles } = await readMachine()
  if (logWriters(openFiles, log).length > 0 || state() !== size) return undefined
  return 'nothing runs any more below the shell of its pane, and nobody writes its log'
}

function isAtRest(panePid: number, entry: AgentEntry): boolean {
  const shell = below(panePid, entry)
  // A login shell's name begins with a dash.
  return SHELLS.has(readProcess(shell)?.comm.replace(/^-/, '') ?? '') && childrenOf(shell)?.length === 0
}

function sizeOf(file: string): number | undefined {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.size
}

function isYoung({ started_at }: AgentEntry): boolean {
  return !(Date.now() - Date.parse(started_at ?? '') >= START_MS)
}
