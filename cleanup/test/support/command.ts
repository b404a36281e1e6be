// `leakrig status`, `leakrig service` and a daemon as a program of their own: `command.ts <command> <arguments>`.
import { Command } from 'commander'
import { addCleanupCommands } from '../../cli/index.ts'
import { runDaemon } from '../../index.ts'
import { Monitor } from '../../metrics/monitor.ts'

const program = new Command('leakrig').exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2))
addCleanupCommands(program)
program.command('daemon <workspace...>').action(async (workspaces: string[]) => {
  const stop = new AbortController()
  process.on('SIGTERM', () => stop.abort())
  const monitor = await Monitor.start({ workspaces })
  const rounds = setInterval(() => monitor.round(0), 100)
  await runDaemon({ workspaces, graceMs: 1_000, signal: stop.signal })
  clearInterval(rounds)
  await monitor[Symbol.asyncDispose]()
})
await program.parseAsync()
