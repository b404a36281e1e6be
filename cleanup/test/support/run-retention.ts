import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { testProgram } from '../../../bin/programs.ts'

const PROGRAM = testProgram('leakrig')

export interface Ran {
  code: number | null
  out: string
  err: string
}

/** Runs `leakrig retention` to its end; `within` are the words of a wrapping command such as nsenter. */
export async function runRetention(args: string[], within: string[] = [], cwd = '/'): Promise<Ran> {
  const [command = '', ...rest] = [...within, process.execPath, PROGRAM, 'retention', ...args]
  const child = spawn(command, rest, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const ran: Ran = { code: null, out: '', err: '' }
  child.stdout.on('data', (text: Buffer) => {
    ran.out += text
  })
  child.stderr.on('data', (text: Buffer) => {
    ran.err += text
  })
  const [code] = await once(child, 'close')
  return { ...ran, code }
}
