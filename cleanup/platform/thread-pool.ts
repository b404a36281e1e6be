import fs from 'node:fs'

/**
 * Starts Node's worker threads now. libuv starts them at their first use, and aborts the process where the limit of processes
 * and threads does not allow it. A daemon must not need them for the first time when an agent has used up that limit; and
 * root has to start them before it becomes a user whom the limit holds.
 */
export function startThreadPool(): void {
  fs.stat('/', () => {})
}
