import { setTimeout as pause } from 'node:timers/promises'
import type { Contained } from '../registry/entries.ts'

/** How an agent is launched inside its containment. */
export interface Launch {
  /** What tmux starts in the pane. */
  command: string[]
  /** Known and recorded before the launch, so that a deploy that dies halfway leaves no unrecorded cgroup. */
  contained?: Contained
  /** What to record once the pane's process runs; undefined when nothing contains it after all. */
  confirm(panePid: number): Promise<Contained | undefined>
}

/** How long a launch is given to enter its containment, in ms. */
const CONFIRM_MS = 1_000

/** Polls until `query` returns a value; undefined after a second without one. */
export async function waitFor<T>(query: () => T | undefined): Promise<T | undefined> {
  const deadline = performance.now() + CONFIRM_MS
  for (;;) {
    const answer = query()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) return undefined
    await pause(2)
  }
}
