#!/usr/bin/env node
// `leakrig orchestrator` without the other commands: every agent starts one, and the others take time to load.
import { Command } from 'commander'
import { addOrchestrator } from '../harness/cli/orchestrator.ts'
import { exitCodes } from '../harness/report/exit-codes.ts'

const program = new Command('leakrig').exitOverride(error =>
  process.exit(error.exitCode === 0 ? exitCodes.passed : exitCodes.wrongUsage),
)
addOrchestrator(program)
await program.parseAsync(['orchestrator', ...process.argv.slice(2)], { from: 'user' })
