import { spawnSync } from 'node:child_process'
import { testProgram } from '../../../bin/programs.ts'
import type { CommandResult } from './run-command.ts'

const PROGRAM = testProgram('leakrig')

/** Runs `leakrig` and blocks until it has exited. Its standard error is trimmed. */
export function leakrig(args: string[], folder?: string, env: NodeJS.ProcessEnv = {}): CommandResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    cwd: folder,
    // On a machine with many processes, each agent may have hundreds of suspects.
    maxBuffer: Number.POSITIVE_INFINITY,
    env: { ...process.env, ...env },
  })
  return { code: status, out: stdout, err: stderr.trim() }
}

/** Runs `leakrig <args> --json` and parses its output. Throws if the output is not JSON. */
export function leakrigJson<T>(args: string[]): T {
  const { out, err } = leakrig([...args, '--json'])
  try {
    return JSON.parse(out)
  } catch {
    throw new Error(`leakrig ${args.join(' ')} printed no JSON: ${out}${err}`)
  }
}
