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
    send({ number, value: JSON.parse(JSON.stringify(value ?? null)) })
  } catch (error) {
    process.stderr.write(`${inspect(error)}\n`)
    send({ number, error: error instanceof Error ? error.message : String(error) })
  }
})
process.once('disconnect', () => process.exit())
send({ number: 0 })

/** A function of a class keeps its `this`. */
function find(exports: unknown, path: (string | number)[]): { owner: unknown; called: unknown } {
  let [owner, called]: [unknown, unknown] = [undefined, exports]
  for (const part of path) [owner, called] = [called, Object(called)[part]]
  return { owner, called }
}
