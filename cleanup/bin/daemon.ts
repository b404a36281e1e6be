#!/usr/bin/env node
// `leakrig daemon` alone, for callers that start one per workspace: it loads none of the other commands.
import { Command } from 'commander'
import { addDaemon } from '../cli/daemon.ts'

const program = new Command('leakrig').exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2))
addDaemon(program)
await program.parseAsync(['daemon', ...process.argv.slice(2)], { from: 'user' })
