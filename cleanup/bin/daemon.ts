#!/usr/bin/env node
// `leakrig daemon` alone, for callers that start one per workspace: it loads none of the other commands.
import { Command } from 'commander'
import { addDaemon } from '../cli/daemon.ts'
import { refuseOptionsAsValues, reportUsageErrors } from '../cli/usage-errors.ts'

const program = reportUsageErrors(new Command('leakrig'))
refuseOptionsAsValues(addDaemon(program))
await program.parseAsync(['daemon', ...process.argv.slice(2)], { from: 'user' })
