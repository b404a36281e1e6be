import { Command } from 'commander'
import { addCleanupCommands } from '../cleanup/cli/index.ts'

// `leakrig` in the sandbox of `leakrig reproduce`: what explains and sweeps, without the harness.
const program = new Command('leakrig').description(
  'Explain and clean up what agents have left in this sandbox.',
)
addCleanupCommands(program)
await program.parseAsync()
