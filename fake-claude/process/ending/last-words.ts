import type { Cause } from '../../profiles.ts'
import type { Claude } from '../claude.ts'
import type { Event } from '../output/events.ts'

/** The last events that claude prints when a signal ends it in the middle of its turn. */
export function lastWords({ profile, answered, bash, events }: Claude, cause: Cause): Event[] {
  if (!profile.lastWords || answered || cause === 'exit') return []
  const foreground = [...bash.running].filter(tool => !tool.background)
  const killed = foreground.map(tool => events.toolResult(tool.use, 'Exit code 137', true))
  return cause === 'SIGINT' ? [...killed, events.interrupted(), events.errorDuringExecution()] : killed
}
