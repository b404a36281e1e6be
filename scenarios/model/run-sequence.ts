import type { RunDetails } from 'fast-check'
import type { Rig, SettleTiming } from '../../harness/index.ts'
import type { Command } from './commands.ts'
import { settle } from './settle.ts'
import { runCommand } from './steps.ts'
import { World } from './world.ts'

/**
 * Runs the commands one after another in a fresh sandbox. At the end the sandbox has to be as the model says.
 * @throws an Error with the steps that were done, and what is wrong
 */
export async function runSequence(
  freshRig: () => Promise<Rig>,
  commands: Command[],
  timing?: SettleTiming,
): Promise<void> {
  const rig = await freshRig()
  await rig.baseline()
  const world = new World(rig, timing)
  await world.findDaemon()
  try {
    for (const command of commands) await runCommand(world, command)
    await settle(world)
  } catch (error) {
    const steps = world.log.map((line, index) => `${index + 1}. ${line}`)
    throw new Error([...steps, error instanceof Error ? error.message : String(error)].join('\n'))
  }
}

/** The steps of the shortest sequence that fails, what is wrong, and the command that repeats it. */
export function failureText({
  seed,
  counterexamplePath,
  numRuns,
  numShrinks,
  errorInstance,
}: RunDetails<[Command[]]>): string {
  const error = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return [
    `Sequence ${numRuns} failed, and was shrunk ${numShrinks} times:`,
    error,
    `To repeat it: MODEL_SEED=${seed} MODEL_PATH=${counterexamplePath} npm run test:model`,
  ].join('\n')
}
