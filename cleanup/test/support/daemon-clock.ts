// A daemon whose wall clock jumps by <ms> at SIGUSR2: `daemon-clock.ts <workspace> <ms>`.
import { runDaemon } from '../../index.ts'

const [workspace = '', moveMs] = process.argv.slice(2)
const stop = new AbortController()
const realNow = Date.now
let movedMs = 0
Date.now = () => realNow() + movedMs
process.on('SIGUSR2', () => {
  movedMs = Number(moveMs)
  process.stdout.write(`${JSON.stringify({ event: 'clock-moved' })}\n`)
})
process.on('SIGTERM', () => stop.abort())

await runDaemon({
  workspaces: [workspace],
  graceMs: 1_000,
  signal: stop.signal,
  log: line => process.stdout.write(`${JSON.stringify(line)}\n`),
})
