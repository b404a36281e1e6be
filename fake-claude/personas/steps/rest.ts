import { setTimeout as sleep } from 'node:timers/promises'
import { becomeIdle } from '../../idle/become-idle.ts'
import { signalIfThere, tree } from '../../process/children/process-tree.ts'
import type { Claude } from '../../process/claude.ts'
import { end } from '../../process/ending/ending.ts'

/** Exits: nothing is left to do, and nothing runs. */
export async function leave(claude: Claude): Promise<void> {
  if (claude.staysOpen) return
  return end(claude, 'exit')
}

/** Stays while a background task runs: for how long depends on the version. */
export async function rest(claude: Claude): Promise<void> {
  if (claude.staysOpen) return
  const { bash, profile } = claude
  if (bash.running.size === 0) return leave(claude)
  if (profile.backgroundEnds === undefined) return becomeIdle(claude)
  claude.note('idle')
  const allEnded = Promise.all([...bash.running].map(tool => tool.ended))
  await Promise.race([sleep(profile.backgroundEnds), allEnded])
  for (const tool of bash.running) for (const pid of tree(tool.pid)) signalIfThere(pid, 'SIGTERM')
  await leave(claude)
}

/** Becomes idle until somebody ends claude. One that stays open works as long as its foreground commands run. */
export async function stay(claude: Claude): Promise<void> {
  if (claude.staysOpen) {
    const tools = [...claude.bash.running].filter(tool => !tool.background)
    if (tools.length > 0) claude.note('idle')
    await Promise.all(tools.map(tool => tool.ended))
    return
  }
  return becomeIdle(claude)
}
