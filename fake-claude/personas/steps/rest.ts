import { setTimeout as sleep } from 'node:timers/promises'
import { becomeIdle } from '../../idle/become-idle.ts'
import { signalIfThere, tree } from '../../process/children/process-tree.ts'
import type { Claude } from '../../process/claude.ts'
import { end } from '../../process/ending/ending.ts'

/** Nothing left to do and nothing left running. */
export function leave(claude: Claude): Promise<void> {
  return end(claude, 'exit')
}

/** The result is printed while a background task lives: what happens next depends on the version. */
export async function rest(claude: Claude): Promise<void> {
  const { bash, profile } = claude
  if (bash.running.size === 0) return leave(claude)
  if (profile.backgroundEnds === undefined) return becomeIdle(claude)
  claude.note('idle')
  const allEnded = Promise.all([...bash.running].map(tool => tool.ended))
  await Promise.race([sleep(profile.backgroundEnds), allEnded])
  for (const tool of bash.running) for (const pid of tree(tool.pid)) signalIfThere(pid, 'SIGTERM')
  await leave(claude)
}

/** Busy with a Bash tool, or with nothing at all: claude itself only waits, until somebody ends it. */
export function stay(claude: Claude): Promise<void> {
  return becomeIdle(claude)
}
