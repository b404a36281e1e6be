import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A line means that the test has cleaned up. At the end of input, what carries the mark is killed and the folder removed. */
const SCRIPT = `
read -r _ && exit
for _ in $(seq 200); do
  pids=$(grep -lzxsF -- "$1=$2" /proc/[0-9]*/environ | cut -d/ -f3)
  [ "$pids" ] || break
  kill -KILL $pids 2>/dev/null
  sleep 0.05
done
rm -rf -- "$2"
[ -z "$pids" ]`

/** Cleans up after a test whose own process is killed. */
export interface Guard {
  /** Ends the guard: the test has cleaned up. */
  dismiss(): void
  /** Has it clean up now. Rejects when a process outlives its KILL. */
  cleanUp(): Promise<void>
}

/**
 * Starts a process that cleans up after the test if the test's own process is killed: it kills every process with the
 * variable `mark`=folder in its environment, also one that is stopped, and removes the folder. It runs in its own session,
 * so Ctrl-C does not reach it.
 */
export function guard(mark: string, folder: string): Guard {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'guard', mark, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  shell.unref()
  return {
    dismiss: () => {
      shell.stdin.end('done\n')
    },
    cleanUp: async () => {
      shell.ref()
      shell.stdin.end()
      const [code] = await once(shell, 'exit')
      if (code !== 0) throw new Error(`Processes with ${mark}=${folder} could not be ended.`)
    },
  }
}
