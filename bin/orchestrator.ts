#!/usr/bin/env node
// `leakrig orchestrator` without the other commands: every agent starts one, and the others take time to load.
import { Command } from 'commander'
import { addOrchestrator } from '../harness/cli/orchestrator.ts'
import { refuseOptionsAsValues, reportUsageErrors } from '../harness/cli/usage-errors.ts'

const program = reportUsageErrors(new Command('leakrig'))
refuseOptionsAsValues(addOrchestrator(program))
await program.parseAsync(['orchestrator', ...process.argv.slice(2)], { from: 'user' })
