import { spawn } from 'node:child_process'

/** Reads a line: if one comes, the test has cleaned up. At the end of input it kills what carries the mark and removes the folder. */
const SCRIPT = `
read -r _ && exit
for _ in $(seq 200); do
  pids=$(grep -lzxsF -- "$1=$2" /proc/[0-9]*/environ | cut -d/ -f3)
  [ "$pids" ] || break
  kill -KILL $pids 2>/dev/null
  sleep 0.05
done
rm -rf -- "$2"`

/**
 * Starts a process that cleans up after the test if the test's own process is killed: it kills every process with the
 * variable `mark`=folder in its environment, and removes the folder. It runs in its own session, so Ctrl-C does not
 * reach it. Returns a function that dismisses it.
 */
export function guard(mark: string, folder: string): () => void {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'guard', mark, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  shell.unref()
  return () => shell.stdin.end('done\n')
}
