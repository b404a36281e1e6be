import { AssertionError } from 'node:assert'
import { CannotMeasureError } from '../errors.ts'
import type { ProbeApi, SystemCommand } from '../probe/api.ts'
import type { SandboxFolders } from '../probe/places.ts'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import { Measurement } from './measurement.ts'

/** The system under test in its sandbox: its process, and its tools over MCP. */
export class SystemUnderTest extends Measurement {
  readonly places: SandboxFolders
  /** Expectations beside the baseline that were not met, in sentences. */
  readonly unmet: string[] = []
  #command: SystemCommand | undefined
  #system: ProcessIdentity | undefined

  constructor(probe: ProbeApi, places: SandboxFolders) {
    super(probe)
    this.places = places
  }

  /** Starts the system, or starts it again after its process was killed. Its tasks and agents stay. */
  async startSystem(command = this.#command): Promise<ProcessIdentity> {
    if (!command) throw new Error('No command was given to start the system with.')
    this.#command = command
    const started = await this.probe.startSystem(command)
    this.#system = started
    await this.noteOwnProcesses()
    return started
  }

  /** The process that was started last. */
  get system(): ProcessIdentity {
    if (!this.#system) throw new Error('No system was started.')
    return this.#system
  }

  /**
   * Calls a tool of the system.
   * @throws CannotMeasureError when the system answers with an error
   */
  async callTool(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { isError, content } = await this.probe.callTool(name, args)
    if (isError || typeof content !== 'object' || content === null) {
      throw new CannotMeasureError(`The system answered ${name} with an error: ${JSON.stringify(content)}.`)
    }
    return content as Record<string, unknown>
  }

  /**
   * The sentence with which the system refuses a call.
   * @throws AssertionError when it does not refuse
   */
  async refusal(name: string, args: Record<string, unknown>): Promise<string> {
    const { isError, content } = await this.probe.callTool(name, args)
    const sentence = (content as { error?: unknown })?.error ?? content
    if (isError) return typeof sentence === 'string' ? sentence : JSON.stringify(sentence)
    throw new AssertionError({
      message: `expected the system to refuse ${name}, and it answered ${JSON.stringify(content)}`,
    })
  }

  /** Whether a program is on the PATH of the sandbox. */
  async has(program: string): Promise<boolean> {
    const { code } = await this.probe.run(['sh', '-c', 'command -v "$1"', 'sh', program])
    return code === 0
  }
}
