import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { jsonOrText } from '../json.ts'
import type { CallAnswer, ReadyCall } from './api.ts'
import type { SystemOutput } from './system-output.ts'

/** The most that is read of a command's output, in bytes. */
const most = 1 << 20

let count = 0

/**
 * Runs a command of the system with `sh -c`, in a session of its own, without input. Its output goes to files: a daemon that
 * it leaves behind holds them open, and would make a reader of a pipe wait.
 */
export async function runShell(
  { run, cwd, env }: Extract<ReadyCall, { kind: 'shell' }>,
  folder: string,
  output: SystemOutput,
): Promise<CallAnswer> {
  mkdirSync(folder, { recursive: true })
  count += 1
  const files = ['out', 'err'].map(name => openSync(join(folder, `${count}.${name}`), 'w+'))
  try {
    const child = spawn('sh', ['-c', run], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', ...files],
      detached: true,
    })
    output.addRunning(files, () => `$ ${run}\n${files.map(readAll).join('')}`)
    const how = await new Promise<string>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) =>
        resolve(signal ? `was killed with ${signal}` : `exit code ${code}`),
      )
    })
    const [printed = '', errors = ''] = files.map(readAll)
    output.add(`$ ${run}\n${printed}${errors}`)
    const said = errors.trim() || printed.trim() || 'it printed nothing'
    return {
      content: jsonOrText(printed.trim()),
      ...(how !== 'exit code 0' && { failure: `${how}: ${said}` }),
    }
  } finally {
    output.removeRunning(files)
    for (const file of files) closeSync(file)
  }
}

function readAll(file: number): string {
  const buffer = Buffer.alloc(most)
  return buffer.subarray(0, readSync(file, buffer, 0, most, 0)).toString()
}
