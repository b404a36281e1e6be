import type { AgentEntry } from './entries.ts'

/**
 * True while an entry tells of the run that was judged by it. Between a verdict and its turn among many cleanups an agent
 * may be started again under its id, or somebody else may have written its end.
 */
export const isSameRun = (judged: AgentEntry, now: AgentEntry): boolean => runOf(judged) === runOf(now)

const runOf = ({ status, started_at, tmux, tmux_session }: AgentEntry): string =>
  JSON.stringify([status, started_at, tmux, tmux_session])
