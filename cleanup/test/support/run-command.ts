import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { testProgram } from '../../../bin/programs.ts'

const PROGRAM = testProgram('leakrig')

export interface CommandResult {
  code: number | null
  out: string
  err: string
}

/** The command line of `leakrig <args>`. */
export const commandWords = (...args: string[]): string[] => [process.execPath, PROGRAM, ...args]

/** A command while it runs, with the output it has written so far. */
export class RunningCommand {
  readonly child: ChildProcess
  out = ''
  err = ''

  constructor([command = '', ...args]: string[], env: NodeJS.ProcessEnv = {}, cwd?: string) {
    this.child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      cwd,
    })
    this.child.stdout?.on('data', (text: Buffer) => {
      this.out += text
    })
    this.child.stderr?.on('data', (text: Buffer) => {
      this.err += text
    })
  }

  /** Waits until the command has exited and its output is closed. */
  async end(): Promise<CommandResult> {
    const [code] = await once(this.child, 'close')
    return { code, out: this.out, err: this.err }
  }
}

/** Runs `leakrig <args>` to its end. */
export const runCommand = (...args: string[]): Promise<CommandResult> =>
  new RunningCommand(commandWords(...args)).end()

/** Runs `leakrig retention` to its end. `prefix` is put before the command line, for example `nsenter ... --`. */
export const runRetention = (args: string[], prefix: string[] = [], cwd = '/'): Promise<CommandResult> =>
  new RunningCommand([...prefix, ...commandWords('retention', ...args)], {}, cwd).end()
