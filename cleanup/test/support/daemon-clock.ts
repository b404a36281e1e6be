// A daemon under a wall clock that is moved by so many ms with SIGUSR2: `daemon-clock.ts <workspace> <ms>`.
import { runDaemon } from '../../index.ts'

const [workspace = '', moveMs] = process.argv.slice(2)
const stop = new AbortController()
const rightTime = Date.now
let movedMs = 0
Date.now = () => rightTime() + movedMs
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
