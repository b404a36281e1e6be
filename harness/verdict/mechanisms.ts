/**
 * The ways in which something is left or harmed. The names stay as they are: lists of known leaks and other programs refer to
 * them. `why` of a finding says the same in a sentence about the resource itself.
 */
export const mechanisms = {
  'session-not-ended': 'nothing ended the tmux session, and what runs in it goes on',
  'below-live-process': 'a child of a process that lives on',
  orphaned: 'it outlived the SIGHUP of its terminal, and its parent',
  daemonized: 'orphaned in a session of its own, which no SIGHUP of a terminal reaches',
  stopped: 'a stopped process, on which a TERM takes effect only after a CONT',
  'not-collected': 'a zombie: its parent has not collected it',
  'holder-not-ended': 'a file that a process holds open which was never ended',
  'deleted-while-open': 'a deleted file whose space is not freed, because a process holds it open',
  'descriptor-not-closed': 'opened by the system for an agent, and not closed at its end',
  'pane-kept': 'a dead pane, kept by remain-on-exit',
  'held-by-others': 'held by something else that is left',
  'not-removed': 'a file that nobody removed',
  'not-archived': 'a log that nobody moved to the archive',
  'writer-interrupted': 'a lock or a temporary file of a writer that was interrupted',
  'claude-alive': 'a file that claude removes at its end, and it lives',
  'claude-killed': 'a file that claude removes on a clean exit, and it was killed',
  'claude-team': 'what claude keeps of a team, so that it refuses the next one of that name',
  'status-without-end': 'a registry says that an agent has ended, and it lives',
  'end-not-recorded': 'a registry says that an agent runs, and it is gone',
  'entry-lost': 'a registry has no entry of an agent',
  'count-wrong': 'a registry counts other agents than it lists',
  'lines-lost': 'lines of a log that no file has',
  gone: 'something innocent is gone',
  'was-stopped': 'something innocent was stopped',
  'was-killed': 'something innocent was killed',
  changed: 'what somebody else wrote into a registry was changed',
  'foreign-session': 'an agent was deployed into the session of a bystander',
} as const

export type Mechanism = keyof typeof mechanisms
