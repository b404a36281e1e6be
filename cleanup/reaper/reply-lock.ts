import { setTimeout as pause } from 'node:timers/promises'
import type { AgentRef } from '../registry/layout.ts'
import { agentLockFile, type Lock, lock, lockNow, replyByte, shareNow } from '../registry/locks.ts'

/** How long a process has to get its answer out after it was found, in ms. */
const SENDING_MS = 200
/** How long an answer is on its way to whoever asked, through a claude that is ended first, in ms. */
const ARRIVAL_MS = 100
/** Both are waited for in steps of this, in ms: then time in which the one who waits gets no turn hardly counts. */
const STEP_MS = 20
/** How often a lock is asked for that is held by who looks only: each asking takes longer than a look. */
const LOOKS = 100
/** How long anybody waits for answers, in ms: one that owes one may have been stopped for good. */
const PATIENCE_MS = 5_000

/**
 * The answer that a cleaner inside its agent owes its caller. As long as it is owed, nobody ends the agent: it is a lock
 * that several may hold, and that the kernel drops when its holder ends. Without it, on a machine that gives the cleaner
 * no turn, the one that it handed over to would end it in the middle of its words.
 */
export class ReplyLock implements Disposable {
  #held: Lock | undefined

  constructor(ref: AgentRef) {
    try {
      // Somebody who is just looking whether an answer is owed holds it for a moment.
      for (let tries = 0; !this.#held && tries < LOOKS; tries++)
        this.#held = shareNow(agentLockFile(ref), replyByte(ref.agentId))
    } catch {
      // A lock file that cannot be made is said by those who cannot do without.
    }
  }

  /** It is on its way: owed no longer once this process has had some turns more. Keeps no process alive. */
  sent(): void {
    const held = this.#held
    this.#held = undefined
    if (held) afterSteps(() => held[Symbol.dispose]())
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
export async function repliesSent(ref: AgentRef): Promise<boolean> {
  try {
    using free = lockNow(agentLockFile(ref), replyByte(ref.agentId))
    if (free) return false
    using _ = await lock(agentLockFile(ref), replyByte(ref.agentId), PATIENCE_MS)
  } catch {
    // What is owed for that long is not waited for; and where nothing can be locked, nobody owes anything.
  }
  await replyArrives()
  return true
}

/** Waits for as long as an answer that has just been sent may be on its way. */
export async function replyArrives(): Promise<void> {
  for (let ms = 0; ms < ARRIVAL_MS; ms += STEP_MS) await pause(STEP_MS)
}

function afterSteps(done: () => void, steps = SENDING_MS / STEP_MS): void {
  setTimeout(() => (steps > 1 ? afterSteps(done, steps - 1) : done()), STEP_MS).unref()
}
