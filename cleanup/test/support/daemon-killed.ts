// A daemon that sends itself SIGKILL when it logs an event for the nth time: `daemon-killed.ts <workspace> <event> [n]`.
import { runDaemon } from '../../index.ts'

const [workspace = '', fatal, count = '1'] = process.argv.slice(2)
let left = Number(count)

await runDaemon({
  workspaces: [workspace],
  graceMs: 1_000,
  signal: new AbortController().signal,
  log: line => {
    process.stdout.write(`${JSON.stringify(line)}\n`)
    if (line.event === fatal && --left === 0) process.kill(process.pid, 'SIGKILL')
  },
})
