/** One line of the log: the name of an event and its facts. An event is logged before what it announces. */
export interface LogLine {
  event: string
  [fact: string]: unknown
}

export type Log = (line: LogLine) => void

/** How much a log line matters: `alarm` is for a person, now. */
export type LogLevel = 'info' | 'warn' | 'error' | 'alarm'

const LEVELS: Partial<Record<string, LogLevel>> = {
  problem: 'warn',
  'cleanup-failed': 'warn',
  'retention-problem': 'warn',
  silent: 'warn',
  'workspace-lost': 'error',
  'mass-death': 'alarm',
}

export const logLevelOf = (event: string): LogLevel => LEVELS[event] ?? 'info'
