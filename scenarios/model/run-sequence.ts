import type { RunDetails } from 'fast-check'
import type { Rig, SettleTiming } from '../../harness/index.ts'
import type { Command } from './commands.ts'
import { settle } from './settle.ts'
import { take } from './steps.ts'
import { World } from './world.ts'

/**
 * Does the commands one after another in a fresh sandbox; at the end everything has to be as the model says.
 * @throws an Error that tells what was done, and what is wrong.
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
    for (const command of commands) await take(world, command)
    await settle(world)
  } catch (error) {
    const told = world.told.map((line, index) => `${index + 1}. ${line}`)
    throw new Error([...told, error instanceof Error ? error.message : String(error)].join('\n'))
  }
}

/** What a person needs: what was done in the shortest sequence that fails, what is wrong, and the command that repeats it. */
export function failureText({
  seed,
  counterexamplePath,
  numRuns,
  numShrinks,
  errorInstance,
}: RunDetails<[Command[]]>): string {
  const error = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return [
    `Sequence ${numRuns} failed, and was made smaller ${numShrinks} times:`,
    error,
    `To repeat it: MODEL_SEED=${seed} MODEL_PATH=${counterexamplePath} npm run test:model`,
  ].join('\n')
}
