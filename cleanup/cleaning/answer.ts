import { setTimeout as pause } from 'node:timers/promises'
import { type AgentRef, taskRegistry } from '../workspace/layout.ts'
import { answerByte, type Lock, lock, lockNow, shareNow } from '../workspace/locks.ts'

/** How long an answer takes from the cleaner to whoever asked, through a claude that is ended first: in ms, a turn at a time. */
const ON_ITS_WAY_MS = 200
const TURN_MS = 20
/** How long anybody waits for answers, in ms: one that owes one may have been stopped for good. */
const PATIENCE_MS = 5_000

/**
 * The answer that a cleaner inside its agent owes its caller. As long as it is owed, nobody ends the agent: it is a lock
 * that several may hold, and that the kernel drops when its holder ends. Without it, on a machine that gives the cleaner
 * no turn, the one that it handed over to would end it in the middle of its words.
 */
export class OwedAnswer implements Disposable {
  #held: Lock | undefined

  constructor(ref: AgentRef) {
    try {
      this.#held = shareNow(lockFile(ref), answerByte(ref.agentId))
    } catch {
      // A lock file that cannot be made is said by those who cannot do without.
    }
  }

  /** It is on its way: owed no longer once this process has had some turns more. Keeps no process alive. */
  sent(): void {
    const held = this.#held
    this.#held = undefined
    held && afterTurns(() => held[Symbol.dispose]())
  }

  [Symbol.dispose](): void {
    this.#held?.[Symbol.dispose]()
    this.#held = undefined
  }
}

/**
 * Waits until nobody inside the agent owes an answer any more, for five seconds at most, and until the last may have arrived.
 * Returns whether it had to.
 */
export async function answersSent(ref: AgentRef): Promise<boolean> {
  try {
    using free = lockNow(lockFile(ref), answerByte(ref.agentId))
    if (free) return false
    using _ = await lock(lockFile(ref), answerByte(ref.agentId), PATIENCE_MS)
  } catch {
    // What is owed for that long is not waited for.
  }
  await answerArrives()
  return true
}

/** Waits for as long as an answer that has just been sent may be on its way. */
export async function answerArrives(): Promise<void> {
  for (let ms = 0; ms < ON_ITS_WAY_MS / 2; ms += TURN_MS) await pause(TURN_MS)
}

/** Time in which this process gets no turn hardly counts. */
function afterTurns(done: () => void, turns = ON_ITS_WAY_MS / TURN_MS): void {
  setTimeout(() => (turns > 1 ? afterTurns(done, turns - 1) : done()), TURN_MS).unref()
}

const lockFile = (ref: AgentRef): string => `${taskRegistry(ref.workspace, ref.taskId)}.lock`
