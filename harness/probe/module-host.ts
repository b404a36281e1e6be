/**
 * Runs functions of a system's modules, in the sandbox, one after another or at once. The probe sends the calls over the IPC
 * channel, and what the functions print goes to the standard streams. It ends when the probe is gone.
 */

import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { resolveConfigEntry } from '../definition/config-entry.ts'
import type { HostAnswer } from './functions-process.ts'

interface HostCall {
  number: number
  module: string
  path: (string | number)[]
  given: Record<string, string>
}

resolveConfigEntry()
const send = (answer: HostAnswer) => process.send?.(answer)

process.on('message', async ({ number, module, path, given }: HostCall) => {
  try {
    const { owner, called } = find(await import(pathToFileURL(module).href), path)
    if (typeof called !== 'function') throw new Error(`${path.join('.')} of ${module} is no function`)
    const value: unknown = await called.call(owner, given)
    // Whatever JSON has no word for, such as a function, is no answer.
    send({ number, value: JSON.parse(JSON.stringify(value ?? null) ?? 'null') })
  } catch (error) {
    const text = described(error)
    process.stderr.write(`${text.whole}\n`)
    send({ number, error: text.sentence })
  }
})
process.once('disconnect', () => process.exit())
send({ number: 0 })

/** Anything can be thrown, also what cannot be read or made a string. */
function described(error: unknown): { whole: string; sentence: string } {
  try {
    const whole = inspect(error)
    return { whole, sentence: error instanceof Error ? String(error.message) : whole }
  } catch {
    return { whole: '', sentence: 'something was thrown that cannot be shown' }
  }
}

/** A function of a class keeps its `this`. */
function find(exports: unknown, path: (string | number)[]): { owner: unknown; called: unknown } {
  let [owner, called]: [unknown, unknown] = [undefined, exports]
  for (const part of path) [owner, called] = [called, Object(called)[part]]
  return { owner, called }
}
