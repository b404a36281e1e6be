import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentRef } from '../registry/layout.ts'
import { agentLockFile, type Lock, lock, lockNow, replyByte, shareNow } from '../registry/locks.ts'

/** How long a process gets, in ms, to send its reply after the reply was decided. */
const SENDING_MS = 200
/** How long a reply takes, in ms, to reach the caller through a claude that is about to be ended. */
const ARRIVAL_MS = 100
/** Both waits are divided into steps of this, in ms: time in which the waiting process got no processor hardly counts then. */
const WAIT_STEP_MS = 20
/** How often the lock is tried while another process holds it for a moment to test it: each try takes longer than that. */
const LOCK_TRIES = 100
/** How long a cleaner waits for replies at most, in ms: the process that must send one may have been stopped for good. */
const LONGEST_WAIT_MS = 5_000

/**
 * Held by a cleaner inside its own agent until its caller has the reply; as long as it is held, nobody ends the agent.
 * Several processes may share it, and the kernel drops it when its holder ends. Without it, on a machine that gives the
 * cleaner no processor time, the process that took over its work would end it in the middle of its reply.
 */
export class ReplyLock implements Disposable {
  #held: Lock | undefined

  constructor(ref: AgentRef) {
    try {
      // repliesSent holds it exclusively for a moment, to test it.
      for (let tries = 0; !this.#held && tries < LOCK_TRIES; tries++)
        this.#held = shareNow(agentLockFile(ref), replyByte(ref.agentId))
    } catch {
      // The locks that a cleanup cannot do without report a lock file that cannot be made.
    }
  }

  /** The reply is on its way: releases the lock once this process has had some processor time. Keeps no process alive. */
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

/** Waits, for five seconds at most, until no process inside the agent holds a reply lock, and until the last reply may have arrived. Returns whether it had to wait. */
export async function repliesSent(ref: AgentRef): Promise<boolean> {
  try {
    using free = lockNow(agentLockFile(ref), replyByte(ref.agentId))
    if (free) return false
    using _ = await lock(agentLockFile(ref), replyByte(ref.agentId), LONGEST_WAIT_MS)
  } catch {
    // Either the time is up, or nothing can be locked here, and then no process holds a reply lock.
  }
  await replyArrives()
  return true
}

/** Waits for as long as a reply that has just been sent may take to arrive. */
export async function replyArrives(): Promise<void> {
  for (let ms = 0; ms < ARRIVAL_MS; ms += WAIT_STEP_MS) await sleep(WAIT_STEP_MS)
}

function afterSteps(run: () => void, steps = SENDING_MS / WAIT_STEP_MS): void {
  setTimeout(() => (steps > 1 ? afterSteps(run, steps - 1) : run()), WAIT_STEP_MS).unref()
}
