import { setTimeout as sleep } from 'node:timers/promises'
import { becomeIdle } from '../../idle/become-idle.ts'
import { signalIfThere, tree } from '../../process/children/process-tree.ts'
import type { Claude } from '../../process/claude.ts'
import { end } from '../../process/ending/ending.ts'

/** Exits: nothing is left to do, and nothing runs. */
export function leave(claude: Claude): Promise<void> {
  return end(claude, 'exit')
}

/** Stays while a background task runs: for how long depends on the version. */
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

/** Becomes idle until somebody ends claude. */
export function stay(claude: Claude): Promise<void> {
  return becomeIdle(claude)
}
