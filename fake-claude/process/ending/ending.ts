import { setTimeout as sleep } from 'node:timers/promises'
import type { Cause, Ending, EndingStep } from '../../profiles.ts'
import { isAlive, signalIfThere, tree } from '../children/process-tree.ts'
import type { Claude } from '../claude.ts'
import { lastWords } from './last-words.ts'

/** Ends claude as its version does: children step by step, last events, files, exit. Never returns. */
export async function end(claude: Claude, cause: Cause): Promise<never> {
  if (claude.ending) return new Promise(() => {})
  claude.ending = true
  const { output, profile, files, note } = claude
  const ending = profile.endings[cause] ?? profile.endings.exit
  output.stopped = true
  if (!ending.abrupt) {
    const words = lastWords(claude, cause)
    await Promise.all([endChildren(claude, ending), endHooks(claude, cause)])
    for (const word of words) await output.lastWord(word)
    if (!(await output.drain(1000))) output.cut()
    files.remove()
  }
  note('ended', { code: ending.code })
  process.exit(ending.code)
}

/** How long an ending takes with a hook that hangs, in ms; with one that had hung before it began, if that is longer. */
const withHungHook: Record<Cause, { ms: number; beforeMs: number }> = {
  SIGTERM: { ms: 4_400, beforeMs: 4_500 },
  SIGINT: { ms: 4_400, beforeMs: 4_500 },
  SIGHUP: { ms: 5_200, beforeMs: 6_750 },
  exit: { ms: 2_700, beforeMs: 2_700 },
}

/** The hooks that run get TERM; then those of the session's end start, and get TERM after 1.5 s (measured on 2.1.332). */
async function endHooks({ hooks }: Claude, cause: Cause): Promise<void> {
  if (!hooks.areThere) return
  const start = performance.now()
  await sleep(90)
  const hungBefore = hooks.terminate()
  const hung = await hooks.endSession(1_500)
  const { ms, beforeMs } = withHungHook[cause]
  const lastsMs = hungBefore ? beforeMs : hung ? ms : 0
  await sleep(Math.max(0, start + lastsMs - performance.now()))
}

async function endChildren({ servers, bash }: Claude, ending: Ending): Promise<void> {
  const mcp = servers.children.map(child => child.pid as number)
  const leaders = [...bash.running].map(tool => tool.pid)
  const start = performance.now()
  let late = servers.unanswered > 0 ? (ending.inCall ?? 0) : 0
  // A leader may end on SIGTERM while a descendant does not: the descendant's pid is remembered.
  const below = new Set(leaders)

  for (const step of stepsFor(ending, leaders.length > 0)) {
    const until = start + late + step.at
    while (performance.now() < until && !(step.to === 'mcp' && !mcp.some(isAlive)))
      await sleep(Math.min(50, until - performance.now()))
    if (step.to === 'bash') for (const pid of leaders.flatMap(tree)) below.add(pid)
    for (const pid of step.to === 'mcp' ? mcp : below) if (isAlive(pid)) signalIfThere(pid, step.signal)
    // When this process was not scheduled for a while, later steps are late too, so that the pauses between them stay.
    late = Math.max(late, performance.now() - start - step.at)
  }
  if (ending.lasts) await sleep(start + ending.lasts - performance.now())
}

/** The steps without those for Bash tools where there are none, because nothing waits for them. */
export function stepsFor(ending: Ending, hasBash: boolean): EndingStep[] {
  return ending.steps.filter(step => step.to === 'mcp' || hasBash)
}
