import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import type { CallAnswer, ReadyCall, SystemPrograms } from './api.ts'
import type { FunctionsProcess } from './functions-process.ts'
import type { McpServer } from './mcp-server.ts'
import { SystemOutput } from './system-output.ts'

/** The system under test: the programs of it that run, and the calls to it. */
export class System {
  readonly output = new SystemOutput()
  readonly #folder: string
  #mcp: McpServer | undefined
  #functions: FunctionsProcess | undefined

  /** `folder`: for the output of commands, among the rig's own files. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Starts the programs. Each kind's code is loaded only where it is needed, because the probe starts often. */
  async start({ mcp, functions }: SystemPrograms): Promise<ProcessIdentity | undefined> {
    if (functions) {
      const { FunctionsProcess } = await import('./functions-process.ts')
      this.#functions = new FunctionsProcess(functions, this.output)
      await this.#functions.start()
    }
    if (!mcp) return this.#functions?.identity
    const { McpServer } = await import('./mcp-server.ts')
    this.#mcp = new McpServer(mcp, this.output)
    return this.#mcp.start()
  }

  async call(call: ReadyCall): Promise<CallAnswer> {
    if (call.kind === 'shell') {
      const { runShell } = await import('./shell-call.ts')
      return runShell(call, this.#folder, this.output)
    }
    const program = call.kind === 'tool' ? this.#mcp : this.#functions
    if (!program)
      throw new Error(`No program of the system was started that could carry out a ${call.kind} call.`)
    return program.call(call as never)
  }
}
