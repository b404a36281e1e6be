#!/usr/bin/env node
// `leakrig daemon` by itself: who starts one for each workspace need not load the other commands.
import { Command } from 'commander'
import { addDaemon } from '../cli/daemon.ts'

const program = new Command('leakrig').exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2))
addDaemon(program)
await program.parseAsync(['daemon', ...process.argv.slice(2)], { from: 'user' })
