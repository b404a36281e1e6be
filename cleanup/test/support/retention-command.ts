// `leakrig retention` as a program of its own: `retention-command.ts retention <arguments>`.
import { Command } from 'commander'
import { addRetentionCommand } from '../../cli/retention.ts'

const program = new Command('leakrig').exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2))
addRetentionCommand(program)
await program.parseAsync()
