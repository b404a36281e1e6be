import type { Command } from 'commander'
import { addDaemon } from './daemon.ts'
import { addExplain } from './explain.ts'
import { addRetention } from './retention.ts'
import { addService } from './service.ts'
import { addStatus } from './status.ts'
import { addSweep } from './sweep.ts'
import { hintAtHelp, refuseOptionsAsValues } from './usage-errors.ts'

/** Adds the commands of the cleanup to a program. Each of them imports what it needs when it runs. */
export function addCleanupCommands(program: Command): void {
  for (const add of [addDaemon, addExplain, addRetention, addService, addStatus, addSweep]) {
    const command = add(program)
    refuseOptionsAsValues(command)
    hintAtHelp(command)
  }
}
