// `leakrig status` and `leakrig service` as a program of their own: `command.ts <command> <arguments>`.
import { Command } from 'commander'
import { addServiceCommand } from '../../cli/service.ts'
import { addStatusCommand } from '../../cli/status.ts'

const program = new Command('leakrig').exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2))
addStatusCommand(program)
addServiceCommand(program)
await program.parseAsync()
