import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type ToolUse, toolUse } from '../output/events.ts'
import type { SessionFiles } from '../session/files.ts'
import type { Note } from '../session/journal.ts'
import type { Places } from '../session/places.ts'

/** One command that the Bash tool runs. */
export interface BashTool {
  taskId: string
  use: ToolUse
  description: string
  background: boolean
  pid: number
  output: string
  ended: Promise<number>
  /** What a foreground command that has ended had printed. */
  printed?: string
}

export class BashTools {
  readonly running = new Set<BashTool>()
  readonly #environment: NodeJS.ProcessEnv
  readonly #files: SessionFiles
  readonly #places: Places
  readonly #note: Note

  constructor(environment: NodeJS.ProcessEnv, files: SessionFiles, places: Places, note: Note) {
    this.#environment = environment
    this.#files = files
    this.#places = places
    this.#note = note
  }

  start(command: string, description: string, background = false): BashTool {
    const taskId = (background ? 'b' : 'f') + randomBytes(3).toString('hex')
    const output = join(this.#places.tasks, `${taskId}.output`)
    // The output of a foreground command is removed on a clean exit; that of a background task stays.
    if (!background) this.#files.removedOnExit.add(output)

    const log = openSync(output, 'a')
    const shellCommand = `source ${quoted(this.#files.snapshot)} && eval ${quoted(command)}`
    // `detached` is setsid: a session and a group of its own, and no terminal.
    const options = { detached: true, stdio: ['ignore', log, log] as ['ignore', number, number] }
    const child = spawn('/bin/bash', ['-c', shellCommand], { ...options, env: this.#environment })
    closeSync(log)
    const { pid } = child
    if (pid === undefined) throw new Error(`fake-claude: /bin/bash could not be started for '${command}'.`)
    this.#note('child', { role: 'bash', pid })

    const input = { command, description, ...(background && { run_in_background: true }) }
    const ended = new Promise<number>(done => {
      child.on('exit', (code, signal) => done(code ?? (signal === 'SIGKILL' ? 137 : 143)))
    })
    const tool: BashTool = {
      taskId,
      use: toolUse('Bash', input),
      description,
      background,
      pid,
      output,
      ended,
    }
    this.running.add(tool)
    ended.then(() => this.#forget(tool))
    return tool
  }

  #forget(tool: BashTool): void {
    this.running.delete(tool)
    if (tool.background) return
    tool.printed = textOf(tool.output)
    rmSync(tool.output, { force: true })
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Somebody has cleaned it up.
    return ''
  }
}

/** A command below `depth - 1` more shells. The `:` at the end keeps each shell from exec'ing its last command. */
export function nested(command: string, depth: number): string {
  return depth <= 1 ? command : `bash -c ${quoted(`${nested(command, depth - 1)}; :`)}`
}

/** Quotes text for a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
