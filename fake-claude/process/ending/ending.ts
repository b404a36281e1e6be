import { setTimeout as sleep } from 'node:timers/promises'
import type { Cause, Ending, EndingStep } from '../../profiles.ts'
import { isAlive, signalIfThere, tree } from '../children/process-tree.ts'
import type { Claude } from '../claude.ts'
import { lastWords } from './last-words.ts'

/** Ends claude as its version does: children step by step, last words, files, exit. Never returns. */
export async function end(claude: Claude, cause: Cause): Promise<never> {
  if (claude.ending) return new Promise(() => {})
  claude.ending = true
  const { output, profile, files, note } = claude
  const ending = profile.endings[cause] ?? profile.endings.exit
  output.stopped = true
  if (!ending.abrupt) {
    const words = lastWords(claude, cause)
    await endChildren(claude, ending)
    for (const word of words) await output.lastWord(word)
    if (!(await output.drain(1000))) output.cut()
    files.remove()
  }
  note('ended', { code: ending.code })
  process.exit(ending.code)
}

async function endChildren({ servers, bash }: Claude, ending: Ending): Promise<void> {
  const mcp = servers.children.map(child => child.pid as number)
  const leaders = [...bash.running].map(tool => tool.pid)
  const start = performance.now()
  let late = servers.unanswered > 0 ? (ending.inCall ?? 0) : 0
  // Below a leader that ended on SIGTERM there may be one that did not: it is still known by its pid.
  const known = new Set(leaders)

  for (const step of stepsFor(ending, leaders.length > 0)) {
    const until = start + late + step.at
    while (performance.now() < until && !(step.to === 'mcp' && !mcp.some(isAlive)))
      await sleep(Math.min(50, until - performance.now()))
    if (step.to === 'bash') for (const pid of leaders.flatMap(tree)) known.add(pid)
    for (const pid of step.to === 'mcp' ? mcp : known) if (isAlive(pid)) signalIfThere(pid, step.signal)
    // Where this process got no turn for a while, what follows is as late as this step: the pauses between them stay.
    late = Math.max(late, performance.now() - start - step.at)
  }
  if (ending.lasts) await sleep(start + ending.lasts - performance.now())
}

/** Steps that are meant for nobody are not waited for. */
export function stepsFor(ending: Ending, hasBash: boolean): EndingStep[] {
  return ending.steps.filter(step => step.to === 'mcp' || hasBash)
}
