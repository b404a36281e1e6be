import { spawnSync } from 'node:child_process'
import { testProgram } from '../../../bin/programs.ts'

const PROGRAM = testProgram('leakrig')

/** Runs `leakrig` to its end. */
export function leakrig(
  args: string[],
  folder?: string,
  env: NodeJS.ProcessEnv = {},
): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, ...env },
  })
  return { code: status, out: stdout, err: stderr.trim() }
}

/** The same, of what it printed as JSON. */
export function leakrigJson<T>(args: string[]): T {
  const { out, err } = leakrig([...args, '--json'])
  try {
    return JSON.parse(out)
  } catch {
    throw new Error(`leakrig ${args.join(' ')} printed no JSON: ${out}${err}`)
  }
}
