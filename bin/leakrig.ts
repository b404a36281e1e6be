#!/usr/bin/env node
import { Command } from 'commander'
import { addCleanupCommands } from '../cleanup/cli/index.ts'
import { addHarnessCommands } from '../harness/cli/commands.ts'
import { fail } from '../harness/cli/exit.ts'
import { watchOutput } from '../harness/cli/output.ts'
import { reportUsageErrors } from '../harness/cli/usage-errors.ts'
import project from '../package.json' with { type: 'json' }

const program = reportUsageErrors(new Command('leakrig'))
  .description('Reproduce, measure and gate the resource leaks of tmux-based Claude Code orchestrators.')
  .version(project.version)
  // These two are services: they go on when nobody reads their output any more.
  .hook('preAction', (_, command) => {
    if (!['daemon', 'orchestrator'].includes(command.name())) watchOutput()
  })

addHarnessCommands(program)
addCleanupCommands(program)
await program.parseAsync().catch(fail)
