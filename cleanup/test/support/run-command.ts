import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { testProgram } from '../../../bin/programs.ts'

const PROGRAM = testProgram('leakrig')

export interface Ran {
  code: number | null
  out: string
  err: string
}

/** The words that run `leakrig <args>`, for a shell or for spawn. */
export const commandWords = (...args: string[]): string[] => [process.execPath, PROGRAM, ...args]

/** `leakrig <args>` under way. */
export class Running {
  readonly child: ChildProcess
  out = ''
  err = ''

  constructor([command = '', ...args]: string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    this.child.stdout?.on('data', (text: Buffer) => {
      this.out += text
    })
    this.child.stderr?.on('data', (text: Buffer) => {
      this.err += text
    })
  }

  async end(): Promise<Ran> {
    const [code] = await once(this.child, 'close')
    return { code, out: this.out, err: this.err }
  }
}

/** Runs `leakrig <args>` to its end. */
export const runCommand = (...args: string[]): Promise<Ran> => new Running(commandWords(...args)).end()
