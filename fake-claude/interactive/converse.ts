import type { Instructions } from '../cli/directive.ts'
import { readInstructions } from '../cli/directive.ts'
import { personas } from '../personas/personas.ts'
import { onStart } from '../personas/steps/on-start.ts'
import type { Claude } from '../process/claude.ts'

/** Where a claude that stays open gets its prompts from. */
export interface Prompts {
  /** The next one; undefined when there will be none. */
  next(): Promise<string | undefined>
  setBusy(isBusy: boolean): void
}

/**
 * Plays a persona for each prompt, until there are no more. Only the first prompt may claim an order.
 * @param begin what is to be done with a prompt's instructions before its persona
 */
export async function converse(
  claude: Claude,
  prompts: Prompts,
  orders: string | undefined,
  begin: (instructions: Instructions) => Promise<void>,
): Promise<void> {
  let folder = orders
  for (;;) {
    const prompt = await prompts.next()
    if (prompt === undefined) return
    const instructions = readInstructions(prompt, folder)
    folder = undefined
    claude.settings = instructions.settings
    claude.answered = false
    await begin(instructions)
    await claude.hooks.run('UserPromptSubmit')
    prompts.setBusy(true)
    for (const step of [onStart, ...personas[claude.settings.persona]]) await step(claude)
    // The steps end early when claude ends its children.
    if (claude.ending) return new Promise(() => {})
    prompts.setBusy(false)
    if (claude.staysOpen) claude.note('idle')
  }
}
