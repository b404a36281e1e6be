/** How much a log line matters: `alarm` is for a person, now. */
export type Level = 'info' | 'warn' | 'error' | 'alarm'

const LEVELS: Partial<Record<string, Level>> = {
  problem: 'warn',
  'cleanup-failed': 'warn',
  'retention-problem': 'warn',
  silent: 'warn',
  'workspace-lost': 'error',
  'mass-death': 'alarm',
}

export const levelOf = (event: string): Level => LEVELS[event] ?? 'info'
