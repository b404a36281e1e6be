import { type ByPid, byPid } from '../snapshot/by-pid.ts'
import type { FileClass, FileResource, ProcessResource, Resource, Snapshot } from '../snapshot/snapshot.ts'
import { what } from '../snapshot/what.ts'
import { shellWord } from '../terminal.ts'
import type { Mechanism } from './mechanisms.ts'
import type { Finding } from './verdict.ts'

/** A leak with its mechanism, as far as one snapshot shows it, and the command that shows the leak. */
export function describeLeak(one: Resource, now: Snapshot, outlivedMs: number): Finding {
  return {
    verdict: 'leak',
    kind: one.kind,
    id: one.id,
    what: what(one),
    ...pidsOf(one),
    ...(one.owner ? { owner: one.owner } : {}),
    ...mechanism(one, byPid(now.resources)),
    command: command(one),
    outlivedMs,
  }
}

/** Something of the baseline that is gone, or that was stopped or killed. */
export function describeLoss(one: Resource, after: Resource | undefined, outlivedMs: number): Finding {
  const state = after?.kind === 'process' ? after.state : undefined
  const how = state === 'T' ? 'was-stopped' : state === 'Z' ? 'was-killed' : 'gone'
  return {
    verdict: 'collateral',
    kind: one.kind,
    id: one.id,
    what: what(one),
    ...pidsOf(one),
    ...(one.owner ? { owner: one.owner } : {}),
    mechanism: how,
    why: `it was there before the first deploy, no agent that ended owned it, and ${losses[how]}`,
    command: command(one),
    outlivedMs,
  }
}

function pidsOf(one: Resource): Pick<Finding, 'pid' | 'ppid'> {
  if (one.kind === 'process') return { pid: one.pid, ppid: one.ppid }
  return 'pid' in one ? { pid: one.pid } : {}
}

const losses = { gone: 'it is gone', 'was-stopped': 'it was stopped', 'was-killed': 'it was killed' }

type Reason = Pick<Finding, 'mechanism' | 'why'>

const because = (mechanism: Mechanism, why: string): Reason => ({ mechanism, why })

function mechanism(one: Resource, now: ByPid): Reason {
  switch (one.kind) {
    case 'process':
      return processMechanism(one, now)
    case 'descriptor':
      return one.deleted
        ? because('deleted-while-open', 'its file was deleted while it was open: the space is not freed')
        : because('holder-not-ended', 'its holder was never ended')
    case 'file':
      return one.class === 'claude state' ? stateMechanism(one, now) : fileMechanism(one.class)
    case 'pane':
      return one.dead
        ? because('pane-kept', 'kept by remain-on-exit after its process ended')
        : because('session-not-ended', 'its session was never ended')
    case 'session':
      return because('session-not-ended', 'nothing ended it when its agent ended')
    default:
      return because('held-by-others', 'held by something else that is left')
  }
}

function processMechanism(one: ProcessResource, now: ByPid): Reason {
  const parent = now.processes.get(one.ppid)
  const name = parent?.comm
  if (one.state === 'Z')
    return because(
      'not-collected',
      `dead, and its parent ${one.ppid} (${name ?? 'init'}) has not collected it`,
    )
  if (one.state === 'T') return because('stopped', 'stopped: a TERM takes effect only after a CONT')
  if (now.isBelowPane(one)) return because('session-not-ended', 'below a pane whose session was never ended')
  if (one.ppid === 1 && one.sid === one.pid)
    return because('daemonized', 'orphaned, in a session of its own: no SIGHUP of the terminal reaches it')
  if (one.ppid === 1) return because('orphaned', 'orphaned: it outlived the SIGHUP of its terminal')
  return because('below-live-process', `below ${name ?? 'process'} (${one.ppid}), which lives on`)
}

function fileMechanism(fileClass: FileClass): Reason {
  switch (fileClass) {
    case 'prompt':
      return because('not-removed', 'nobody removed it, and nobody reads it any more')
    case 'stream log':
    case 'progress':
    case 'findings':
    case 'deploy log':
      return because('not-archived', 'nobody moved it to the archive')
    case 'lock':
    case 'temp':
      return because('writer-interrupted', 'left by a writer that was interrupted')
    default:
      return because('not-removed', 'made after the baseline and never removed')
  }
}

function stateMechanism({ owner, path }: FileResource, { withClaude }: ByPid): Reason {
  if (path.includes('/.claude/teams/'))
    return because('claude-team', 'Claude keeps it, and refuses the next team of that name')
  return owner && withClaude.has(owner.agent)
    ? because('claude-alive', 'its claude lives, and removes it on a clean exit')
    : because('claude-killed', 'Claude removes it on a clean exit, but this claude was killed')
}

function command(one: Resource): string {
  switch (one.kind) {
    case 'server':
    case 'session':
      return `tmux -S ${shellWord(one.socket)} list-sessions`
    case 'pane':
      return `tmux -S ${shellWord(one.socket)} list-panes -a -F '#{session_name} #{pane_id} #{pane_pid} #{pane_dead}'`
    case 'process':
      return `ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p ${one.pid}`
    case 'descriptor':
      return `ls -l /proc/${one.pid}/fd/${one.fd}`
    case 'socket':
      return 'cat /proc/net/unix /proc/net/tcp'
    case 'pty':
    case 'file':
    case 'registry':
      return `ls -l ${shellWord(one.path)}`
  }
}
