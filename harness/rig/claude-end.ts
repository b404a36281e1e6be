import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import { poll } from '../poll.ts'
import type { JournalEntry } from './journal.ts'
import type { Located } from './locate-agent.ts'
import { quotedLines } from './system-failure.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/** An agent, as far as the end of its claude needs it. */
interface WatchedAgent {
  readonly id: string
  readonly rig: SystemUnderTest
  readonly located: Located | undefined
  journal(): Promise<JournalEntry[]>
}

/** How long claude may take to exit once its work is done, ms: some versions end their background tasks first, after 5 s. */
const exitsWithinMs = 15_000

/** Whether an agent's claude ends in time, whoever collects it. @throws CannotMeasureError when it was never seen */
export async function claudeEndsWithin({ id, located, rig }: WatchedAgent, ms: number): Promise<boolean> {
  const claude = located?.claude
  if (!claude) throw new CannotMeasureError(`The claude of agent ${id} was never seen.`)
  const hasEnded = await poll(ms, async () => {
    const { resources } = await rig.snapshot()
    const now = resources.find(one => one.id === claude.id)
    return now?.kind !== 'process' || /[ZX]/.test(now.state) || undefined
  })
  return hasEnded ?? false
}

/**
 * Waits until an agent's claude, which is at the end of its work, has exited by itself. One that the system ends after its
 * result has completed as well, and leaves what it leaves.
 * @throws CannotMeasureError when it does not exit, fails, or was ended before its result: nothing has completed then
 */
export async function waitForExit(agent: WatchedAgent): Promise<void> {
  const limit = new Limit(exitsWithinMs)
  const hasEnded = await claudeEndsWithin(agent, exitsWithinMs)
  const journal = await agent.journal()
  const hasResult = journal.some(({ what, type }) => what === 'event' && type === 'result')
  const code = Number(journal.find(({ what }) => what === 'ended')?.code ?? 0)
  const fault = () => {
    if (!hasResult) return hasEnded ? 'ended, and nothing had taken its result' : 'printed no result'
    if (!hasEnded)
      return `printed its result and did not exit within ${limit.elapsed}: completes.exit is for one that exits by itself (claude --print), and one at a prompt waits there`
    return code > 0 && code < 128 ? `exited with ${code}` : undefined
  }
  const found = fault()
  if (found === undefined) return
  const output = quotedLines('the output of the system', await agent.rig.probe.systemOutput())
  throw new CannotMeasureError(
    [`Agent ${agent.id} did not complete. Its claude ${found}.`, ...output].join('\n'),
  )
}
